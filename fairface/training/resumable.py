"""May a run go on with this configuration? What shapes its result, and what "best" means, must be as it began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fairface.config.load import as_dict
from fairface.config.schema import HeadConfig, SourceConfig, TrainConfig
from fairface.errors import CheckpointError
from fairface.training.verifier import WORST

# What may change at --resume.
FREE = ("devices", "gpus", "kvstore", "output", "save_every", "keep", "test", "log", "head.scratch")
FREE_DATA = ("path", "root", "checksums", "threads", "prefetch", "in_memory")  # of data and of each source's data
BEST = ("monitor", "protected")  # what of verify.* may not change: scores of two kinds cannot be compared
BEST_OF_GROUPS = ("sets", "flip", "min_subjects")  # and where the worst group's rate is monitored
UNSET = "unset"


def check_resumable(config: TrainConfig, saved: Mapping[str, Any]) -> None:
    """Raise :class:`CheckpointError` when a key that shapes the result differs from the run's own configuration.

    Devices, logging, verification, thread counts and where the data lie may change; what "best" means may not. A key
    that ``saved``, of an older version, does not have, counts with its default; one that is no key any more does not.
    """
    trees = completed(saved), as_dict(config)
    before, now = ({**dict(shaping(tree)), **meaning_of_best(tree)} for tree in trees)
    for name in [name for name in before | now if before.get(name) != now.get(name)][:1]:
        was, is_now = (UNSET if values.get(name) is None else repr(values[name]) for values in (before, now))
        raise CheckpointError(
            f"{config.output}/{config.name}: {name} was {was} and is now {is_now}; a resumed run "
            "keeps its configuration, for another one give it another name and start_from"
        )


def shaping(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that shapes a run's result, with its value; a group that is unset is None, one without keys is left
    out."""
    if isinstance(tree, list) and (tree or prefix == "sources") and all(isinstance(item, dict) for item in tree):
        tree = {str(item.get("name", number)): item for number, item in enumerate(tree)}
    if not isinstance(tree, dict):
        yield prefix, tree
        return
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        group, last = name.split(".")[0], name.rsplit(".", 1)[-1]
        if name in FREE or (group == "verify" and "." in name and last not in BEST):
            continue
        if ".data." in f".{name}" and last in FREE_DATA:
            continue
        yield from shaping(value, name)


def meaning_of_best(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The further keys that a worst group's rate depends on: it stands at the first FMR; nothing for other scores."""
    verify = tree["verify"]
    if not isinstance(verify, dict) or verify["monitor"] not in WORST:
        return {}
    return {"verify.fmr": verify["fmr"][:1], **{f"verify.{key}": verify[key] for key in BEST_OF_GROUPS}}


def unlike_scores(config: TrainConfig, saved: Mapping[str, Any]) -> list[str]:
    """Which keys may change although scores depend on them, in words."""
    before, now = completed(saved)["verify"], as_dict(config)["verify"]
    keys = ("sets", "flip", "folds") if config.verify.monitor == "accuracy" else ("sets", "flip")
    return [
        f"verify.{key} was {before[key]!r} and is now {now[key]!r}: scores from now on are not like those before, and "
        "the best checkpoint is the best of both"
        for key in keys
        if before[key] != now[key]
    ]


def completed(saved: Mapping[str, Any]) -> dict[str, Any]:
    """A saved configuration with the keys of this version's schema: defaults where it has none."""
    tree = _filled(as_dict(TrainConfig()), saved)
    if isinstance(tree["sources"], list):
        tree["sources"] = [_filled_source(source) if isinstance(source, dict) else source for source in tree["sources"]]
    return tree


def _filled_source(saved: Mapping[str, Any]) -> dict[str, Any]:
    source = _filled(as_dict(SourceConfig()), saved)
    if isinstance(source["head"], dict):
        source["head"] = _filled(as_dict(HeadConfig()), source["head"])
    return source


def _filled(usual: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _filled(value, saved[key]) if value and isinstance(value, dict) and isinstance(saved.get(key), dict)
        else saved.get(key, value)
        for key, value in usual.items()
    }  # fmt: skip
