"""Training curves from a run's log."""

import json

import numpy as np
import pytest

from fairface.checkpoints import MANIFEST
from fairface.evaluation.training_log import training_curves
from fairface.report.page.training import Series, thinned


def test_losses_and_verification_of_the_run_are_read_and_the_rest_is_not(tmp_path):
    entries = [
        {"event": "train", "step": 10, "time": 1.0, "loss": 3.0, "ring": 0.5, "lr": 0.1, "accuracy": 0.2},
        {"event": "verify/lfw", "step": 10, "time": 2.0, "auc": 0.9, "eer": 0.1, "accuracy": None},
        {"event": "skipped", "step": 10, "record": "x"},
        {"event": "train", "step": 20, "time": 3.0, "loss": 2.0, "ring": None, "lr": 0.1},
    ]  # fmt: skip
    (tmp_path / MANIFEST).write_text("{}")
    lines = [json.dumps(entry) for entry in entries]
    (tmp_path / "log.jsonl").write_text("\n".join([*lines, '{"event": "train", "st']))
    rows = training_curves(str(tmp_path)).tables[0].rows
    assert rows == (("loss", "2", "3", "2"), ("ring", "1", "0.5", "0.5"), ("auc of lfw", "1", "0.9", "0.9"))


def test_models_without_a_log_have_no_curves(tmp_path):
    assert training_curves(str(tmp_path / "prefix,7")) is None
    (tmp_path / MANIFEST).write_text("{}")
    assert training_curves(f"{tmp_path}@3") is None
    (tmp_path / "log.jsonl").write_text('{"event": "skipped", "step": 1}\n')
    assert training_curves(str(tmp_path)) is None


def test_long_series_become_means_of_stretches():
    steps, values = np.arange(1, 1004), np.random.default_rng(0).normal(size=1003)
    found = thinned(Series(steps, values), 100)
    assert len(found.steps) <= 100
    for place, start in enumerate(range(0, 1003, 11)):
        part = values[start : start + 11]
        assert found.values[place] == pytest.approx(sum(part) / len(part))
        assert found.steps[place] == steps[min(start + 10, 1002)]
    short = Series(steps[:5], values[:5])
    assert thinned(short, 100) is short


def test_a_folder_may_have_an_at_in_its_name(tmp_path):
    run = tmp_path / "me@host" / "r1"
    run.mkdir(parents=True)
    (run / MANIFEST).write_text("{}")
    (run / "log.jsonl").write_text(json.dumps({"event": "train", "step": 10, "loss": 3.0}))
    for name in (str(run), f"{run}@10", f"{run}@best"):
        assert training_curves(name).tables[0].rows == (("loss", "1", "3", "3"),)
