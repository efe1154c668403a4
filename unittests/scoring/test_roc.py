import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from fairface.errors import DataError
from fairface.scoring.roc import auc, eer, roc_curve, tar_at_fmr, threshold_at_fmr


def scores_and_truth(seed: int, count: int = 400, decimals: int = 1):
    """Rounded scores, so that many of them tie."""
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.3
    return np.round(rng.normal(same * 0.8, 0.5), decimals), same


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_curve_and_area_equal_scikit_learn(decimals):
    scores, same = scores_and_truth(decimals, decimals=decimals)
    roc = roc_curve(scores, same)
    fpr, tpr, thresholds = metrics.roc_curve(same, scores, drop_intermediate=False)
    np.testing.assert_allclose(roc.fmr, fpr, rtol=0, atol=1e-15)
    np.testing.assert_allclose(roc.tar, tpr, rtol=0, atol=1e-15)
    np.testing.assert_allclose(roc.fnmr, 1 - tpr, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(roc.thresholds, thresholds)
    assert auc(roc) == pytest.approx(metrics.roc_auc_score(same, scores), abs=1e-14)


def test_counts_equal_a_loop_over_thresholds():
    scores, same = scores_and_truth(7)
    roc = roc_curve(scores, same)
    for threshold, false, true in zip(roc.thresholds, roc.false_matches, roc.true_matches, strict=True):
        assert false == sum(s >= threshold for s, y in zip(scores, same, strict=True) if not y)
        assert true == sum(s >= threshold for s, y in zip(scores, same, strict=True) if y)
    assert (roc.genuine, roc.impostor) == (same.sum(), (~same).sum())


def test_order_of_comparisons_does_not_matter():
    scores, same = scores_and_truth(3)
    shuffled = np.random.default_rng(0).permutation(len(scores))
    assert auc(roc_curve(scores, same)) == auc(roc_curve(scores[shuffled], same[shuffled]))


def best_tar(scores, same, target):
    """The largest TAR over all thresholds, between scores too, whose FMR is within the target."""
    values = np.unique(scores)
    candidates = [*values, *(values + 1e-9), math.inf]
    return max((scores[same] >= t).mean() for t in candidates if (scores[~same] >= t).mean() <= target)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2), st.sampled_from([0.01, 0.05, 0.1, 0.29, 0.5]))
def test_tar_is_the_largest_within_the_target(seed, decimals, target):
    scores, same = scores_and_truth(seed, 300, decimals)
    roc = roc_curve(scores, same)
    assert tar_at_fmr(roc, target).value == pytest.approx(best_tar(scores, same, target), abs=1e-15)
    threshold = threshold_at_fmr(roc, target)
    assert (scores[~same] >= threshold).mean() <= target
    assert (scores[same] >= threshold).mean() == pytest.approx(tar_at_fmr(roc, target).value, abs=1e-15)


def test_a_target_that_is_a_whole_number_of_matches_is_reached():
    # 0.29 * 100 is 28.999999999999996 in floating point; 29 false matches are within it all the same.
    scores = np.concatenate([np.arange(100.0), [70.5]])
    same = np.arange(101) == 100
    assert tar_at_fmr(roc_curve(scores, same), 0.29).value == 1.0
    assert tar_at_fmr(roc_curve(scores, same), 0.28).value == 0.0


def test_too_few_impostors_give_nan_with_the_reason():
    scores, same = scores_and_truth(1, 100)
    measured = tar_at_fmr(roc_curve(scores, same), 1e-3)
    assert math.isnan(measured.value)
    assert measured.reason == f"{(~same).sum()} impostor comparisons; FMR 0.001 needs at least 1000"


def test_exactly_enough_impostors_are_enough():
    scores = np.append(np.linspace(0, 1, 1000), 2.0)
    assert tar_at_fmr(roc_curve(scores, scores == 2.0), 1e-3).value == 1.0


def test_eer_equals_a_fine_search_on_the_straight_lines():
    for seed in range(5):
        scores, same = scores_and_truth(seed, 150)
        roc = roc_curve(scores, same)
        position = np.linspace(0, len(roc.fmr) - 1, 2_000_001)
        index = np.arange(len(roc.fmr))
        fmr, fnmr = np.interp(position, index, roc.fmr), np.interp(position, index, roc.fnmr)
        crossing = np.argmin(np.abs(fmr - fnmr))
        assert eer(roc) == pytest.approx(fmr[crossing], abs=1e-6)


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected"),
    [
        ([1.0, 2.0], [0.0, -1.0], 0.0),
        ([0.0, -1.0], [1.0, 2.0], 1.0),
        ([1.0], [1.0], 0.5),
        ([3.0, 1.0], [2.0, 0.0], 0.5),
    ],
)
def test_eer_of_small_cases(genuine, impostor, expected):
    scores = np.array(genuine + impostor)
    same = np.arange(len(scores)) < len(genuine)
    assert eer(roc_curve(scores, same)) == expected


def test_bad_scores_are_errors():
    with pytest.raises(DataError, match="1 of 3 scores is not finite"):
        roc_curve(np.array([0.1, np.nan, 0.2]), np.array([True, False, False]))
    with pytest.raises(DataError, match="all 2 comparisons are genuine"):
        roc_curve(np.array([0.1, 0.2]), np.array([True, True]))
    with pytest.raises(DataError, match="all 2 comparisons are impostor"):
        roc_curve(np.array([0.1, 0.2]), np.array([False, False]))
    with pytest.raises(DataError, match="one score for each"):
        roc_curve(np.array([0.1]), np.array([True, False]))
