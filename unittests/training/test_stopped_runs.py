"""Runs that a signal or a fault ends at an awkward step: resumed, they end as the run that nothing stopped."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fairface.config.schema import TrainConfig
from fairface.errors import DataError
from fairface.parameters import load_arrays
from fairface.training.run import train
from fairface.training.trainer import Pending, Trainer
from fairface.training.verifier import Verifier
from unittests.training.helpers import make_people, tiny_config


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@contextmanager
def during(step: int, signalled: bool = True) -> Iterator[None]:
    """SIGTERM, or a fault that nothing is saved after, comes while this step is made, counted from 1."""
    real = Trainer.step

    def strike(self: Trainer, number: int, *rest: Any) -> Pending:
        if number + 1 == step:
            if not signalled:
                raise KeyboardInterrupt
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, number, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "step", strike)
        yield


def stopped_and_resumed(config: TrainConfig, step: int) -> None:
    with during(step):
        assert train(config, quiet=True) == 128 + signal.SIGTERM
    assert train(config, resume=True, quiet=True) == 0


def manifest(config: TrainConfig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(config.output) / config.name / "manifest.json").read_text())
    return found


def scores(config: TrainConfig) -> tuple[int, list[tuple[int, float]]]:
    found = manifest(config)
    return found["best"], [(entry["step"], entry["score"]) for entry in found["checkpoints"]]


def verified(config: TrainConfig) -> list[tuple[int, float]]:
    lines = (Path(config.output) / config.name / "log.jsonl").read_text().splitlines()
    return [(line["step"], line["auc"]) for line in map(json.loads, lines) if line["event"].startswith("verify/")]


def bits(config: TrainConfig, kind: str) -> dict[str, bytes]:
    (file,) = (Path(config.output) / config.name).glob(f"{kind}-0006.params")
    return {name: array.asnumpy().tobytes() for name, array in load_arrays(str(file)).items()}


@pytest.mark.parametrize("step", [3, 6])
@pytest.mark.parametrize("every", ["3", "0"])
def test_a_verification_that_was_due_is_made_up(tmp_path: Path, people: Path, step: int, every: str) -> None:
    words = (f"verify.every={every}", "save_every=3", "keep=9")
    whole, stopped = (tiny_config(tmp_path, people, f"name={name}", *words) for name in ("whole", "stopped"))
    assert train(whole, quiet=True) == 0
    stopped_and_resumed(stopped, step)
    assert scores(stopped) == scores(whole)
    assert verified(stopped) == verified(whole)
    assert manifest(stopped)["checkpoints"] == manifest(whole)["checkpoints"]
    assert [at for at, _ in verified(whole)] == ([3, 6] if every == "3" else [6])


def test_a_verification_is_made_up_once(tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where none was due, and without a second line in the log where it gave no score."""
    config = tiny_config(tmp_path, people, "verify.every=3", "save_every=2")
    stopped_and_resumed(config, 2)
    assert [at for at, _ in verified(config)] == [3, 6]
    real = Verifier._run
    monkeypatch.setattr(Verifier, "_run", lambda *arguments: (real(*arguments), None)[1])
    undefined = tiny_config(tmp_path, people, "name=undefined", "verify.every=3", "save_every=2")
    stopped_and_resumed(undefined, 3)
    with during(4, signalled=False), pytest.raises(KeyboardInterrupt):
        train(tiny_config(tmp_path, people, "name=again", "save_every=3"), quiet=True)
    assert train(tiny_config(tmp_path, people, "name=again", "save_every=3"), resume=True, quiet=True) == 0
    for name in ("undefined", "again"):
        found = tiny_config(tmp_path, people, f"name={name}")
        assert [at for at, _ in verified(found)] == [3, 6]
        assert manifest(found)["best"] is None


def test_a_bad_record_right_after_a_verification_does_not_cost_its_score(tmp_path: Path) -> None:
    """The checkpoint of that step is there already, with its score."""
    config = tiny_config(tmp_path, make_people(tmp_path / "people"), "sampler.kind=random", "verify.every=3")
    real = Trainer._next
    calls = iter(range(100))

    def bad(self: Trainer, batches: Any, step: int, pending: Any) -> Any:
        def fails() -> Iterator[Any]:
            raise DataError("record 7 is bad")
            yield

        return real(self, fails() if next(calls) == 3 else batches, step, pending)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_next", bad)
        with pytest.raises(DataError, match="the 3 steps before it are saved"):
            train(config, quiet=True)
    best, entries = scores(config)
    assert (best, [step for step, _ in entries]) == (3, [3])
    assert entries[0][1] == verified(config)[0][1]
    assert math.isfinite(entries[0][1])


@pytest.mark.parametrize("words", [("optimizer.momentum=0",), ("optimizer.momentum=0", "devices=cpu0,cpu1")])
def test_without_momentum(tmp_path: Path, people: Path, words: tuple[str, ...]) -> None:
    """The optimizer has no state then, and the run goes on all the same."""
    whole, stopped = (tiny_config(tmp_path, people, f"name={name}", *words) for name in ("whole", "stopped"))
    assert train(whole, quiet=True) == 0
    stopped_and_resumed(stopped, 4)
    for kind in ("model", "blocks", "state"):
        assert bits(stopped, kind) == bits(whole, kind)
    assert load_arrays(str(tmp_path / "models" / "whole" / "state-0006.params"))["step"].asnumpy() == [6]


@pytest.mark.parametrize("head", ["cosface", "adaface"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_from_the_checkpoint_before_the_first_step(
    tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch, head: str, optimizer: str
) -> None:
    """With a worst group's rate as monitor the start is saved: before any update, so with the states that begin it."""
    monkeypatch.setattr("fairface.training.run.WORST", {"auc": ""})  # the people have no groups
    assert train(tiny_config(tmp_path, people, "name=base", "steps=1"), quiet=True) == 0
    words = (f"start_from={tmp_path}/models/base", f"head.name={head}", "head.m3=0", f"optimizer.name={optimizer}")
    whole, broken = (tiny_config(tmp_path, people, f"name={name}", *words) for name in ("whole", "broken"))
    assert train(whole, quiet=True) == 0
    with during(2, signalled=False), pytest.raises(KeyboardInterrupt):
        train(broken, quiet=True)
    assert [entry["step"] for entry in manifest(broken)["checkpoints"]] == [0]
    assert train(broken, resume=True, quiet=True) == 0
    assert scores(broken) == scores(whole)
    for kind in ("model", "blocks", "state"):
        assert bits(broken, kind) == bits(whole, kind)


def test_the_manifest_tells_which_launch_saved(tmp_path: Path, people: Path) -> None:
    """That of the last one; a run that nothing launched bears no mark, and keeps what is there when it goes on."""
    config = tiny_config(tmp_path, people, "steps=2", "save_every=1", "verify.every=0")
    assert train(config, quiet=True) == 0
    assert "launch" not in manifest(config)
    assert train(config, overwrite=True, quiet=True, mark="one") == 0
    assert manifest(config)["launch"] == "one"
    stopped = tiny_config(tmp_path, people, "name=stopped", "steps=4", "save_every=1", "verify.every=0")
    with during(2):
        train(stopped, quiet=True, mark="one")
    assert train(stopped, resume=True, quiet=True, mark="two") == 0
    assert manifest(stopped)["launch"] == "two"
