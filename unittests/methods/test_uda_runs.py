"""UDA as runs: branches and masked faces from several sources, one mixed data set, resumed to the same bits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fairface.config.schema import TrainConfig
from fairface.errors import FairfaceError
from fairface.methods.uda import UDA
from fairface.training.run import train
from unittests.methods.test_virface_runs import blocks
from unittests.training.helpers import make_people, tiny_config
from unittests.training.resumed import broken_and_resumed, everything
from unittests.training.test_sharded_runs import arrays_of
from unittests.workers.together import together


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``one``: 4 people; ``two``: 3 people; ``masked``: photographs of whom nothing is known."""
    root = tmp_path_factory.mktemp("faces")
    for name, people in (("one", 4), ("two", 3), ("masked", 5)):
        make_people(root / name, people=people, images=4)
    return root


def config_of(folder: Path, faces: Path, *overrides: str, branches: Sequence[str] = ("one",)) -> TrainConfig:
    sources = [{"name": name, "data": {"path": str(faces / name)}, "batch_size": 4} for name in branches]
    sources.append({"name": "masked", "data": {"path": str(faces / "masked")}, "batch_size": 3, "unlabeled": True})
    words = (
        "method=uda", "name=uda", "steps=4", "save_every=2", "verify.every=0", "log.every=1",
        "backbone.name=split_ir_tiny", "head.name=curricularface", "head.m3=0", "optimizer.decay_norm=false",
        *overrides,
    )  # fmt: skip
    total = sum(source["batch_size"] for source in sources)  # type: ignore[misc]
    return tiny_config(folder, faces / "one", *words, sources=sources, batch_size=total)


def lines(run: Path) -> list[dict[str, float]]:
    return [one for one in map(json.loads, (run / "log.jsonl").read_text().splitlines()) if one["event"] == "train"]


def test_a_run_logs_lengths_and_ratios_of_both_kinds(tmp_path: Path, faces: Path) -> None:
    assert train(config_of(tmp_path, faces), quiet=True) == 0
    run = tmp_path / "models" / "uda"
    names = {key.split(".")[0] for key in blocks(run)}
    assert names == {"backbone", "head"}
    found = lines(run)
    assert len(found) == 4
    for line in found:
        lower, upper = line["lower_masked"], line["upper_masked"]
        assert line["ratio_masked"] == pytest.approx(lower / (lower + upper + 1e-5), rel=1e-4)
        assert line["ratio_normal"] == pytest.approx(line["lower_normal"] / (line["upper_normal"] + 1e-5), rel=1e-4)


@pytest.mark.parametrize(
    ("devices", "head"),
    [
        ("cpu0", ()), ("cpu0,cpu1", ()), ("cpu0,cpu1", ("head.sharded=true",)),
        ("cpu0,cpu1", ("head.sharded=true", "head.sample_rate=0.5")),
    ],
)  # fmt: skip
def test_branches_stopped_and_resumed_to_the_same_bits(
    tmp_path: Path, faces: Path, devices: str, head: tuple[str, ...]
) -> None:
    def config(name: str) -> TrainConfig:
        words = (f"devices={devices}", f"name={name}", "sources.two.weight=0.5", "uda.mean=labeled", *head)
        return config_of(tmp_path, faces, *words, branches=("one", "two"))

    assert train(config("unbroken"), quiet=True) == 0
    broken = broken_and_resumed(config("broken"), UDA)
    assert everything(broken) == everything(tmp_path / "models" / "unbroken")
    assert {key.split(".")[0] for key in blocks(broken)} == {"backbone", "head_one", "head_two"}


def test_split_heads_train_as_whole_ones(tmp_path: Path, faces: Path) -> None:
    found = []
    for name, head in (("whole", ()), ("split", ("head.sharded=true",))):
        words = (f"name={name}", "devices=cpu0,cpu1", "uda.mean=labeled", *head)
        assert train(config_of(tmp_path, faces, *words, branches=("one", "two")), quiet=True) == 0
        found.append(lines(tmp_path / "models" / name))
    for whole, split in zip(*found, strict=True):
        for key in ("loss_one", "loss_two", "masked", "normal", "accuracy_one", "accuracy_two"):
            assert split[key] == pytest.approx(whole[key], rel=2e-3), key


def test_branches_with_split_heads_on_workers(tmp_path: Path, faces: Path) -> None:
    """Two workers as one process with two devices; a worker has classes of both branches."""
    plain = ("head.sharded=true", "backbone.dropout=0", "optimizer.lr=0.01")
    assert train(config_of(tmp_path, faces, *plain, "name=base", "steps=1", branches=("one", "two")), quiet=True) == 0
    words = (*plain, "start_from=base", "steps=2", "sources.two.weight=0.5", "uda.mean=labeled")
    one = config_of(tmp_path, faces, *words, "name=one", "devices=cpu0,cpu1", branches=("one", "two"))
    workers = config_of(tmp_path, faces, *words, "name=workers", branches=("one", "two"))
    assert train(one, quiet=True) == 0
    assert together(2, lambda world: train(workers, quiet=True, join=lambda _: world)) == [0, 0]
    expected, found = arrays_of(tmp_path / "models" / "one"), arrays_of(tmp_path / "models" / "workers")
    assert {"head_one.weight", "head_two.weight", "head_one.momentum", "head_two.momentum"} <= set(found)
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-3, atol=1e-5, err_msg=name)
    for whole, split in zip(*(lines(tmp_path / "models" / name) for name in ("one", "workers")), strict=True):
        for key in ("loss_one", "loss_two", "masked", "normal", "accuracy_one", "accuracy_two"):
            assert split[key] == pytest.approx(whole[key], rel=1e-4), key


def test_a_mixed_list_gives_masked_faces_by_its_label_zero(tmp_path: Path, faces: Path) -> None:
    people = [f"one/person{person}/{image}.png {person + 1}\n" for person in range(4) for image in range(4)]
    masked = [f"masked/person{person}/{image}.png 0\n" for person in range(5) for image in range(4)]
    (faces / "mixed.txt").write_text("".join(people + masked))
    words = ["method=uda", "name=mixed", "steps=3", "log.every=1", "verify.every=0", "data.zero_is_unlabeled=true"]
    config = tiny_config(tmp_path, faces / "mixed.txt", *words, "backbone.name=split_ir_tiny", "batch_size=9")
    assert train(config, quiet=True) == 0
    found = [line["upper_masked"] for line in lines(tmp_path / "models" / "mixed")]
    assert min(found) > 0, lines(tmp_path / "models" / "mixed")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("backbone.name=fresnet_tiny",), r"fresnet_tiny has no upper and lower part.*uda\.masked_weight=0\.3"),
        (("sources.one.unlabeled=true",), "no record of any source has a label"),
        (("backbone.embedding=10",), r"backbone\.embedding is 10; .* set 8"),
        (("start_from=nowhere",), "nowhere"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, faces: Path, settings: tuple[str, ...], message: str
) -> None:
    with pytest.raises(FairfaceError, match=message):
        train(config_of(tmp_path, faces, *settings), quiet=True)
    assert not (tmp_path / "models" / "uda").exists()


def test_a_branch_of_one_identity_is_refused(tmp_path: Path, faces: Path) -> None:
    make_people(tmp_path / "lonely", people=1, images=4)
    config = config_of(tmp_path, faces, f"sources.two.data.path={tmp_path / 'lonely'}", branches=("one", "two"))
    with pytest.raises(FairfaceError, match="lonely"):
        train(config, quiet=True)


def test_a_plain_backbone_trains_without_regularisers(tmp_path: Path, faces: Path) -> None:
    words = ("backbone.name=fresnet_tiny", "uda.masked_weight=0", "uda.normal_weight=0", "steps=2")
    assert train(config_of(tmp_path, faces, *words), quiet=True) == 0
    assert "ratio_masked" not in lines(tmp_path / "models" / "uda")[0]
