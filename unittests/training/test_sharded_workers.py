"""Training with classes that are split over workers: as one process with all their devices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.training.log import RunLog
from fairface.training.run import assemble, train
from fairface.training.setup import prepare
from fairface.training.verifier import Verifier
from fairface.workers.world import Workers
from unittests.training.helpers import make_people
from unittests.training.test_sharded_runs import PEOPLE, SAMPLED, SHARDED, arrays_of, config_of
from unittests.workers.together import together

WORDS = ("start_from=base", "steps=2", "backbone.dropout=0", "optimizer.lr=0.1", "batch_size=9")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs lie: ``base`` to start from."""
    home = tmp_path_factory.mktemp("runs")
    make_people(home / "people", people=PEOPLE)
    assert train(config_of(home, home / "people", "name=base", "steps=1"), quiet=True) == 0
    return home


def on_workers(folder: Path, name: str, size: int, *words: str) -> dict[str, np.ndarray]:
    config = config_of(folder, folder / "people", *WORDS, f"name={name}", *words)

    def work(world: Workers) -> int:
        return train(config, quiet=True, join=lambda _: world)

    assert together(size, work) == [0] * size
    return arrays_of(folder / "models" / name)


def test_two_workers_learn_what_one_process_with_two_devices_does(folder: Path) -> None:
    words = (
        *SAMPLED, f"head.scratch={folder}", "head.name=curricularface", "head.m3=0", "optimizer.clip_norm=0.5",
        "head.label_smoothing=0.1",
    )  # fmt: skip
    found = on_workers(folder, "workers", 2, *words)
    config = config_of(folder, folder / "people", *WORDS, *words, "name=devices", "devices=cpu0,cpu1")
    assert train(config, quiet=True) == 0
    expected, base = (arrays_of(folder / "models" / name) for name in ("devices", "base"))
    assert set(found) == set(expected)
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-3, atol=1e-5, err_msg=name)
    assert (np.abs(found["head.weight"] - base["head.weight"]).max(axis=1) > 1e-4).sum() > PEOPLE // 2
    assert found["head.momentum"].any()


@pytest.mark.parametrize("split", ["true", "false"])
def test_a_verification_that_fails_costs_no_steps(folder: Path, monkeypatch: pytest.MonkeyPatch, split: str) -> None:
    """Worker 0 saves before it stops: the others must bring their classes."""

    def gone(*_: object) -> float:
        raise DataError("the set is gone")

    monkeypatch.setattr(Verifier, "run", gone)
    name = f"gone_{split}"
    config = config_of(folder, folder / "people", *WORDS, *SHARDED, f"name={name}", f"verify.split={split}")

    def work(world: Workers) -> str:
        run = prepare(config, lambda _: world)
        trainer = assemble(run, RunLog(run.folder, quiet=True, name=f"log-{world.rank}.jsonl"))
        try:
            trainer.checkpointer.after_step(3, 3)
        except DataError as error:
            return str(error)
        return ""

    assert together(2, work) == ["the set is gone", "the set is gone" if split == "true" else ""]
    found, base = arrays_of(folder / "models" / name), arrays_of(folder / "models" / "base")
    np.testing.assert_array_equal(found["head.weight"], base["head.weight"])


def test_more_devices_of_all_workers_than_classes(folder: Path) -> None:
    config = config_of(folder, folder / "people", *SHARDED, "batch_size=8", "name=few")

    def work(world: Workers) -> str:
        with pytest.raises(ConfigError) as caught:
            train(config, quiet=True, join=lambda _: world)
        return str(caught.value)

    found = together(2, work, devices=4)
    assert found == ["7 classes cannot be split over 8 devices; name 7 devices or fewer"] * 2
