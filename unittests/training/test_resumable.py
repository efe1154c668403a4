"""Which configuration a run may go on with: groups without keys, heads of sources, the worst group's rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fairface.config.load import as_dict, from_tree
from fairface.config.schema import TrainConfig
from fairface.errors import CheckpointError
from fairface.training.resumable import check_resumable, unlike_scores

SOURCE = {"name": "a", "data": {"path": "people"}, "batch_size": 8}
GROUPS = {"monitor": "fmr_worst", "protected": ["sex"], "fmr": [0.1, 0.01], "sets": ["v"]}


def config_of(**groups: Any) -> TrainConfig:
    return from_tree({"name": "x", "output": "out", "data": {"path": "people"}, **groups}, "test")


@pytest.mark.parametrize(
    ("one", "other", "name", "values"),
    [
        ({"head": {"name": "adaface"}}, {"head": {"name": "adaface", "options": {"m": 0.0}}}, "head.options.m",
         ("unset", "0.0")),
        ({"head": {"options": {"m": 0.1}}}, {"head": {"options": {"m": 0.2}}}, "head.options.m", ("0.1", "0.2")),
        ({"sources": [SOURCE]}, {"sources": [{**SOURCE, "head": {"name": "softmax"}}]}, "sources.a.head.name",
         ("unset", "'softmax'")),
        ({"batch_size": 8}, {"sources": [SOURCE]}, "sources.a.name", ("unset", "'a'")),
        ({"optimizer": {"milestones": []}}, {"optimizer": {"milestones": [0.5]}}, "optimizer.milestones",
         ("[]", "[0.5]")),
    ],
)  # fmt: skip
def test_what_is_set_on_one_side_alone_differs(one: Any, other: Any, name: str, values: tuple[str, str]) -> None:
    pair = config_of(**one), config_of(**other)
    for (before, now), (was, is_now) in ((pair, values), (pair[::-1], values[::-1])):
        check_resumable(now, as_dict(now))
        with pytest.raises(CheckpointError) as caught:
            check_resumable(now, as_dict(before))
        assert f"out/x: {name} was {was} and is now {is_now};" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_keys_of_another_version() -> None:
    """What the saved configuration does not have counts with its default; what is no key any more is passed over."""
    config = config_of(sources=[{**SOURCE, "head": {"name": "softmax"}}], head={"options": {"m": 0.5}})
    saved = as_dict(config)
    del saved["optimizer"]["clip_norm"], saved["sources"][0]["weight"], saved["sources"][0]["head"]["sample_rate"]
    saved["optimizer"]["forgotten"] = 3
    saved["lost"] = {"a": 1}
    check_resumable(config, saved)
    clipped = config_of(
        sources=[{**SOURCE, "head": {"name": "softmax"}}], head={"options": {"m": 0.5}}, optimizer={"clip_norm": 2.0}
    )
    with pytest.raises(CheckpointError, match=r"optimizer\.clip_norm was 0\.0 and is now 2\.0"):
        check_resumable(clipped, saved)


@pytest.mark.parametrize(
    ("key", "value"), [("fmr", [0.001, 0.01]), ("min_subjects", 5), ("sets", ["w"]), ("flip", False)]
)
@pytest.mark.parametrize("monitor", ["fmr_worst", "fnmr_worst", "auc"])
def test_the_worst_groups_rate_stays_of_the_same(monitor: str, key: str, value: Any) -> None:
    before = config_of(verify={**GROUPS, "monitor": monitor})
    now = config_of(verify={**GROUPS, "monitor": monitor, key: value})
    if monitor == "auc":
        check_resumable(now, as_dict(before))
        notes = unlike_scores(now, as_dict(before))
        assert [note.split(" was ")[0] for note in notes] == ([f"verify.{key}"] if key in ("sets", "flip") else [])
        return
    with pytest.raises(CheckpointError, match=rf"verify\.{key} was .* and is now .*"):
        check_resumable(now, as_dict(before))


def test_what_the_worst_groups_rate_does_not_depend_on_may_change() -> None:
    """The threshold stands at the first FMR; others are only reported."""
    before = config_of(verify=GROUPS)
    free = config_of(verify={**GROUPS, "fmr": [0.1, 0.02, 0.03], "every": 3.0, "batch_size": 5, "folds": 3})
    check_resumable(free, as_dict(before))
    assert unlike_scores(free, as_dict(before)) == []
    by_accuracy = [config_of(verify={"monitor": "accuracy", "folds": folds}) for folds in (10, 3)]
    assert unlike_scores(by_accuracy[1], as_dict(by_accuracy[0])) == [
        "verify.folds was 10 and is now 3: scores from now on are not like those before, and the best checkpoint is "
        "the best of both"
    ]


@pytest.mark.parametrize("damaged", [{"sources": 3}, {"sources": [3]}, {"verify": 3}, {"head": 3}])
def test_a_damaged_configuration_is_one_line(damaged: dict[str, Any], tmp_path: Path) -> None:
    config = config_of()
    with pytest.raises(CheckpointError, match=f"{next(iter(damaged))}.* was "):
        check_resumable(config, {**as_dict(config), **damaged})
