"""fairface.scoring.weighted_eer against the plain rate of comparisons that are listed as often as they count."""

import numpy as np
import pytest

from fairface.scoring.roc import eer, roc_curve
from fairface.scoring.weighted_eer import WeightedEer


@pytest.mark.parametrize("levels", [5, 10**6])
def test_a_weight_counts_as_repetition(levels):
    rng = np.random.default_rng(0)
    same = rng.random(200) < 0.4
    scores = np.round((rng.normal(same * 1.0, 1.0)) * levels) / levels
    sorted_once = WeightedEer.of(scores, same)
    assert sorted_once.measure(np.ones(200)) == pytest.approx(eer(roc_curve(scores, same)), abs=1e-12)
    for _ in range(5):
        weights = rng.integers(0, 4, 200)
        listed = roc_curve(np.repeat(scores, weights), np.repeat(same, weights))
        assert sorted_once.measure(weights.astype(np.float64)) == pytest.approx(eer(listed), abs=1e-12)


def test_one_kind_of_comparison_alone_has_no_rate():
    same = np.array([True, False, True])
    assert np.isnan(WeightedEer.of(np.arange(3.0), same).measure(np.array([1.0, 0.0, 1.0])))
    assert np.isnan(WeightedEer.of(np.arange(3.0), same).measure(np.array([0.0, 1.0, 0.0])))
