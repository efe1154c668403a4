import numpy as np
import pytest
from scipy.stats import binomtest

from fairface.errors import DataError
from fairface.scoring.arrays import comparisons_of
from fairface.scoring.calibration import exact_interval, operating_points
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world


def by_hand(scores, same, target):
    """The lowest score with an FMR of no more than ``target``, tried one after the other."""
    best = None
    for score in sorted(scores, reverse=True):
        if np.mean([other >= score for other in scores[~same]]) <= target:
            best = score
    return best


def test_thresholds_and_rates_are_those_of_a_loop():
    scores, comparisons = small_world()
    points, reasons = operating_points(scores, comparisons, [0.05, 0.01, 0.05, 1e-4])
    assert [point.target for point in points] == [0.01, 0.05]
    assert reasons == {"0.0001": "1770 impostor comparisons; FMR 0.0001 needs at least 10000"}
    for point in points:
        assert point.threshold == by_hand(scores, comparisons.same, point.target)
        false = [s >= point.threshold for s, same in zip(scores, comparisons.same, strict=True) if not same]
        missed = [s < point.threshold for s, same in zip(scores, comparisons.same, strict=True) if same]
        assert (point.false_matches, point.impostor, point.genuine) == (sum(false), 1770, 180)
        assert point.fmr == sum(false) / 1770
        assert point.fnmr == sum(missed) / 180


def test_the_interval_is_over_subjects():
    scores, comparisons = small_world()
    (point,), _ = operating_points(scores, comparisons, [0.05], level=0.9)
    judged = assess(scores, comparisons, ["sex"], given_threshold(point.threshold), FairnessOptions(level=0.9))
    assert (point.low, point.high, point.over) == (judged.fmr.low, judged.fmr.high, "subjects")
    independent = binomtest(point.false_matches, point.impostor).proportion_ci(0.9, method="exact")
    assert point.high - point.low > independent.high - independent.low
    assert "over subjects" in str(point)


def test_without_subjects_comparisons_count_as_independent():
    scores, comparisons = small_world()
    (point,), _ = operating_points(scores, comparisons_of(comparisons.same, None), [0.05])
    wanted = binomtest(point.false_matches, point.impostor).proportion_ci(0.95, method="exact")
    assert (point.low, point.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert point.over == "comparisons"


@pytest.mark.parametrize(("count", "total"), [(0, 10), (10, 10), (1, 300), (299, 300)])
def test_exact_interval_is_scipys(count, total):
    wanted = binomtest(count, total).proportion_ci(0.95, method="exact")
    assert exact_interval(count, total, 0.95) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@pytest.mark.parametrize(("scores", "same", "fmr", "message"), [
    ([0.9, 0.1, 0.2], [1, 0, 0], [0.1], "no threshold can be set: 2 impostor comparisons; FMR 0.1 needs at least 10"),
    ([0.9, 0.9, 0.2], [1, 0, 0], [0.5], None), ([0.2, 0.9, 0.9], [1, 0, 0], [0.5], "the highest score is shared by"),
    ([0.9, 0.1], [1, 1], [0.5], "all 2 comparisons are genuine"),
    ([0.9, 0.1, 0.2], [1, 0, 0], [1.0], "FMR 1.0 cannot be used"),
    ([0.9, np.nan, 0.2], [1, 0, 0], [0.5], "not finite"),
])  # fmt: skip
def test_what_cannot_be_set_is_said(scores, same, fmr, message):
    comparisons = comparisons_of(same, None)
    if message is None:
        (point,), _ = operating_points(np.array(scores), comparisons, fmr)
        assert (point.threshold, point.false_matches) == (0.9, 1)
        return
    with pytest.raises(DataError, match=message):
        operating_points(np.array(scores), comparisons, fmr)
