"""A loss that stays NaN under a loss scale: every step is skipped, and after so many the run says so and stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairface.checkpoints import resolve
from fairface.errors import TrainingError
from fairface.training.log import RunLog
from fairface.training.loss_scale import PATIENCE, LossScale
from fairface.training.run import assemble
from fairface.training.setup import prepare
from fairface.training.trainer import Trainer
from unittests.training.helpers import make_people, tiny_config


def trainer_of(tmp_path: Path, steps: int) -> Trainer:
    people = make_people(tmp_path / "people")
    overrides = (f"steps={steps}", "save_every=4", "verify.every=0", "verify.sets=")
    run = prepare(tiny_config(tmp_path, people, *overrides))
    run.folder.mkdir(parents=True)
    trainer = assemble(run, RunLog(run.folder, quiet=True))
    trainer.scale = trainer.checkpointer.scale = LossScale(initial=1.0)
    return trainer


def test_stops_and_names_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of(tmp_path, 100)
    whole, calls = trainer.method.losses, []

    def losses(*arguments):  # type: ignore[no-untyped-def]
        calls.append(0)
        report = whole(*arguments)
        if len(calls) > 4:
            report.losses.update({name: [a * float("nan") for a in arrays] for name, arrays in report.losses.items()})
        return report

    monkeypatch.setattr(trainer.method, "losses", losses)
    run = tmp_path / "models" / "tiny"
    with pytest.raises(TrainingError, match=rf"step {4 + PATIENCE}: every gradient is nan .*{run}@\d+\.") as caught:
        trainer.run()
    assert "optimizer.lr" in str(caught.value)
    assert len(calls) == 4 + PATIENCE
    assert resolve(f"{run}@last").step == 4 * ((4 + PATIENCE - 1) // 4)


def test_the_count_outlives_a_resume() -> None:
    scale, other = LossScale(initial=1.0), LossScale()
    for _ in range(PATIENCE - 1):
        scale.update(False)
    other.load_state(scale.state())
    assert not other.exhausted
    other.update(False)
    assert other.exhausted
    older = {name: value for name, value in scale.state().items() if name != "at_floor"}
    other.load_state(older)
    assert not other.exhausted
