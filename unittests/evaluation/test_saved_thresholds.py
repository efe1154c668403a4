"""Thresholds from scored pairs, saved beside the checkpoint that made the scores."""

from datetime import datetime, timezone

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.embedding.thresholds import thresholds_of
from fairface.errors import CheckpointError, DataError
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.saved_thresholds import ThresholdSaver
from fairface.scoring.calibration import operating_points
from fairface.scoring.fairness.grouped import select
from unittests.scoring.fairness.helpers import small_world


@pytest.fixture
def model(tmp_path):
    (tmp_path / "net.ckpt").write_bytes(b"weights")
    return str(tmp_path / "net.ckpt")


def test_only_comparisons_with_a_score_and_a_face_count(model):
    scores, comparisons = small_world()
    failed = np.zeros(180, bool)
    failed[7] = True
    touched = failed[comparisons.a] | failed[comparisons.b]
    lacking = scores.copy()
    lacking[100:110] = np.nan
    kept = ~touched & np.isfinite(lacking)
    saved = ThresholdSaver(model, False, (0.05, 1e-5)).save(ScoredPairs(comparisons, (lacking,), failed), "faces")
    points, _ = operating_points(scores[kept], select(comparisons, kept), [0.05])
    assert saved.thresholds.points == points
    assert saved.thresholds.points[0].impostor < 1770
    assert (saved.thresholds.data, saved.thresholds.flip, saved.thresholds.step) == ("faces", False, 0)
    assert saved.thresholds.date == datetime.now(timezone.utc).date().isoformat()
    assert thresholds_of(resolve(model)) == saved.thresholds
    assert saved.notes[0] == f"{model}.thresholds.json: thresholds at FMR 0.05"
    assert saved.notes[1].startswith("no threshold at FMR 0.00001: ")
    assert saved.to_dict()["file"] == saved.path


def test_weights_that_change_meanwhile_are_noticed(model, tmp_path):
    scores, comparisons = small_world()
    saver = ThresholdSaver(model, True, (0.05,))
    (tmp_path / "net.ckpt").write_bytes(b"others")
    with pytest.raises(CheckpointError, match="changed while it was scored; name a step"):
        saver.save(ScoredPairs(comparisons, (scores,)), "faces")
    assert [path.name for path in tmp_path.iterdir()] == ["net.ckpt"]


def test_earlier_thresholds_stay_where_none_can_be_set(model, tmp_path):
    scores, comparisons = small_world()
    pairs = ScoredPairs(comparisons, (scores,))
    first = ThresholdSaver(model, True, (0.05,)).save(pairs, "faces")
    with pytest.raises(DataError, match="no threshold can be set: 1770 impostor comparisons; FMR 1e-05 needs"):
        ThresholdSaver(model, True, (1e-5,)).save(pairs, "faces")
    assert thresholds_of(resolve(model)) == first.thresholds
