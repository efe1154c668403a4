"""A key of the configuration changes what a method is made of, is refused, or stands here with the reason why not."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

from fairface.config.keys import group_of
from fairface.config.limits import Choice, noted_limit
from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError, FairfaceError
from fairface.methods.build import build_method
from fairface.mx import gluon
from unittests.training.helpers import SIZE, make_people

TINY = {"name": "fresnet_tiny", "embedding": 8, "width": 0.25}
PAIRS = {"kind": "pk", "images_per_class": 2}
BASES: dict[str, dict[str, Any]] = {
    "classify": {"backbone": TINY},
    "triplet": {"backbone": TINY, "sampler": PAIRS},
    "fused": {"backbone": TINY, "sampler": PAIRS},
    "virface": {"backbone": TINY, "stage": "virface"},
    "uda": {"backbone": {**TINY, "name": "split_ir_tiny"}},
    "lpd": {"backbone": {**TINY, "name": "lpd_tiny", "embedding": 256}, "lpd": {"nose_height": "constant"}},
}
GROUPS = ("sampler", "backbone", "head", "triplet", "virface", "uda", "lpd")
OF_METHODS = {"triplet": ("triplet", "fused"), "virface": ("virface",), "uda": ("uda",), "lpd": ("lpd",)}
OTHERS = {"backbone.embedding": 12, "backbone.name": "mobilefacenet", "head.name": "cosface", "head.m1": 1.5,
          "head.scratch": "x",
          "backbone.dropout": 0.3, "backbone.prelu": "native", "backbone.output": "GDC",
          "head.options": {"m": 1.0}}  # fmt: skip
UNUSED = {
    "[cfvul]*:head.init_from": "read when a run starts from another one (training/mean_embeddings.py)",
    "[cuvl]*:sampler.images_per_class": "of the sampler pk",
    "*:triplet.gamma": "of the arc-circle losses",
    "*:triplet.theta_margin": "of the arc-circle losses",
    "lpd:backbone.prelu": "a ResNet without PReLU",
}
SKIPPED = {"_prefix", "_name", "name", "_scope", "_params", "_var", "prefix"}  # counted through the process


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people", images=4)


def tree_of(method: str, people: Path, sources: bool = False) -> dict[str, Any]:
    tree = {"method": method, "batch_size": 8, "steps": 2, "devices": "cpu0", **BASES[method]}
    tree["data"] = {"path": str(people), "image_size": SIZE, "threads": 1}
    if sources or method == "virface":
        labeled = {"name": "a", "data": {"path": str(people)}, "batch_size": 8}
        unlabeled = {"name": "u", "data": {"path": str(people)}, "batch_size": 4, "unlabeled": True}
        tree["sources"] = [labeled, *([unlabeled] if method in ("classify", "virface", "uda") else [])]
        del tree["batch_size"]
    return tree


def described(value: Any, seen: dict[int, Any]) -> Any:
    """What an object holds, all the way down, without the names that gluon counts. ``seen`` are the objects by id: they
    stay alive, so that no other gets the same."""
    if value is None or isinstance(value, (str, bytes, bool, int, float, np.generic, type)):
        return repr(value)
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest())
    if id(value) in seen:
        return "again"
    seen[id(value)] = value
    if isinstance(value, gluon.Parameter):
        return (value.shape, str(value.dtype), value.grad_req, described(value.init, seen))
    if isinstance(value, Mapping):
        return {str(key): described(item, seen) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [described(item, seen) for item in value]
    if isinstance(value, partial):
        return [described(item, seen) for item in (value.func, value.args, value.keywords)]
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    held = {key: item for key, item in getattr(value, "__dict__", {}).items() if key not in SKIPPED}
    kept = {key: described(item, seen) for key, item in held.items()}
    return (type(value).__qualname__, getattr(value, "__qualname__", ""), kept, described(cells, seen))


def made_of(tree: dict[str, Any]) -> str:
    """A text that is the same for methods made alike; ``refused`` where none is made."""
    try:
        return repr(described(build_method(from_tree(tree, "test"), on_gpu=False), {}))
    except FairfaceError:
        return "refused"


def another(name: str, owner: type, field: dataclasses.Field[Any], now: Any) -> Any:
    limit = noted_limit(owner, field.name)
    if name in OTHERS:
        return OTHERS[name]
    if isinstance(limit, Choice):
        return next(value for value in limit.options if value != now)
    if isinstance(now, bool):
        return not now
    return now + 1 if isinstance(now, int) else now / 2 if now else 0.25


def keys_of(method: str, people: Path) -> dict[str, Any]:
    """Every key of the groups, each with another value."""
    config = from_tree(tree_of(method, people), "test")
    owners = {f.name: group_of(hint) for f, hint in zip(dataclasses.fields(TrainConfig), hints(), strict=True)}
    found = {}
    for group in GROUPS:
        owner = owners[group]
        assert owner is not None
        for field in dataclasses.fields(owner):
            name = f"{group}.{field.name}"
            found[name] = another(name, owner, field, getattr(getattr(config, group), field.name))
    return found


def hints() -> list[Any]:
    known = get_type_hints(TrainConfig)
    return [known[field.name] for field in dataclasses.fields(TrainConfig)]


def is_unused(method: str, key: str) -> bool:
    """Whether a key is known to have no effect. A group bears the name of the methods that it is for."""
    if method not in OF_METHODS.get(key.split(".", maxsplit=1)[0], (method,)):
        return True
    return any(fnmatch(f"{method}:{key}", pattern) for pattern in UNUSED)


@pytest.mark.parametrize("method", sorted(BASES))
def test_each_key_has_an_effect_or_a_reason(method: str, people: Path) -> None:
    tree = tree_of(method, people)
    usual = made_of(tree)
    assert usual == made_of(tree) != "refused"
    silent, refused = set(), set()
    keys = keys_of(method, people)
    for key, value in keys.items():
        changed = tree_of(method, people)
        group, last = key.split(".")
        changed[group] = {**changed.get(group, {}), last: value}
        made = made_of(changed)
        silent |= {key} if made == usual else set()
        refused |= {key} if made == "refused" else set()
    unused = {key for key in keys if is_unused(method, key)}
    assert silent - unused == set()
    assert unused - silent - refused == set()


@pytest.mark.parametrize("method", sorted(BASES))
def test_heads_and_weights_of_sources(method: str, people: Path) -> None:
    """``a`` has labels, ``u`` has none; only methods with a classifier take a head, only uda weights."""
    tree = tree_of(method, people, sources=True)
    usual = made_of(tree)
    assert usual != "refused"
    for number, source in enumerate(tree["sources"]):
        heard = {
            "head": source["name"] == "a" and method != "triplet",
            "weight": source["name"] == "a" and method == "uda",
        }
        for key, value in (("head", {"name": "norm_softmax"}), ("weight", 0.5)):
            changed = tree_of(method, people, sources=True)
            changed["sources"][number][key] = value
            made = made_of(changed)
            assert made != usual
            assert (made != "refused") == heard[key], (source["name"], key)
            if not heard[key]:
                with pytest.raises(ConfigError, match=rf"sources\.{source['name']}\.{key} is .*method {method}"):
                    build_method(from_tree(changed, "test"), on_gpu=False)


def test_options_of_lpd_where_another_method_trains_its_net(people: Path) -> None:
    tree = tree_of("classify", people)
    tree["backbone"] = BASES["lpd"]["backbone"]
    assert made_of(tree) != "refused"
    with pytest.raises(ConfigError, match=r"lpd\.pixels is 'released', but method classify takes lpd_tiny with the"):
        build_method(from_tree({**tree, "lpd": {"pixels": "released"}}, "test"), on_gpu=False)


@pytest.mark.parametrize(
    "word", ["head.name=cosface", "head.s=32", "head.init_from=mean_embedding", "optimizer.head_lr_mult=2.0",
             "triplet.weight=0.5"],
)  # fmt: skip
def test_triplets_alone_refuse_keys_of_a_classifier(people: Path, word: str) -> None:
    key, _, value = word.partition("=")
    group, last = key.split(".")
    shown = repr(value) if value.isidentifier() else re.escape(str(float(value)))
    for method in ("triplet", "fused"):
        tree = tree_of(method, people)
        tree[group] = {**tree.get(group, {}), last: value if value.isidentifier() else float(value)}
        assert (made_of(tree) == "refused") == (method == "triplet")
    with pytest.raises(ConfigError, match=rf"{re.escape(key)} is {shown}, but method triplet has no classifier; leave"):
        build_method(from_tree({**tree, "method": "triplet"}, "test"), on_gpu=False)
