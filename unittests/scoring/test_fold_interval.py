"""The interval of k-fold accuracy against scipy's own intervals, its coverage, and folds that do not differ."""

import numpy as np
import pytest
from scipy import stats

from fairface.errors import DataError
from fairface.scoring.fold_interval import accuracy_difference_interval, accuracy_interval


def test_one_set_is_students_interval_of_its_folds():
    values = np.random.default_rng(0).uniform(0.7, 0.95, 10)
    expected = stats.t.interval(0.9, 9, loc=values.mean(), scale=stats.sem(values))
    assert accuracy_interval([values], [600], 0.9) == pytest.approx(expected, abs=1e-12)


def test_two_sets_are_welchs_interval_of_the_sum():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0.7, 0.9, 10), rng.uniform(0.4, 0.6, 10)
    # Welch's interval of the difference of first and -second is that of their sum.
    sums = stats.ttest_ind(first, -second, equal_var=False).confidence_interval(0.95)
    expected = (sums.low / 2, sums.high / 2)
    assert accuracy_interval([first, second], [600, 600]) == pytest.approx(expected, abs=1e-12)


def test_folds_that_do_not_differ_give_the_exact_binomial_interval():
    low, high = accuracy_interval([np.ones(10)], [60])
    assert (low, high) == (pytest.approx(0.025 ** (1 / 60)), 1.0)  # all right: low^60 = 2.5 %
    low, high = accuracy_interval([np.zeros(10)], [60])
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 60)))
    exact = stats.binomtest(54, 60).proportion_ci(0.8, "exact")
    assert accuracy_interval([np.full(10, 0.9)], [60], 0.8) == pytest.approx((exact.low, exact.high))


def test_ends_stay_between_nothing_and_everything():
    low, high = accuracy_interval([np.array([0.9, 1, 1, 1, 1, 1, 1, 1, 1, 1])], [100])
    assert 0.96 < low < high == 1.0
    assert accuracy_interval([np.array([0.1, 0, 0, 0])], [40])[0] == 0.0


def test_the_truth_is_inside_as_often_as_promised():
    rng = np.random.default_rng(2)
    trials = 2000
    folds = rng.binomial(60, 0.8, (trials, 10)) / 60
    ends = np.array([accuracy_interval([row], [600]) for row in folds])
    inside = np.mean((ends[:, 0] <= 0.8) & (ends[:, 1] >= 0.8))
    assert abs(inside - 0.95) < 4 * np.sqrt(0.95 * 0.05 / trials)


@pytest.mark.parametrize("bad", [([], [], 0.95), ([np.ones(1)], [5], 0.95), ([np.ones(5)], [5], 1.0)])
def test_what_allows_no_interval(bad):
    with pytest.raises(DataError, match="two folds or more in each, and a level"):
        accuracy_interval(*bad)


def test_the_difference_of_two_accuracies():
    rng = np.random.default_rng(3)
    first = rng.uniform(0.7, 0.95, 10)
    second = first - rng.uniform(0.0, 0.1, 10)
    paired = stats.ttest_rel(second, first).confidence_interval(0.9)
    assert accuracy_difference_interval(first, second, True, 0.9) == pytest.approx((paired.low, paired.high))
    welch = stats.ttest_ind(second[:7], first, equal_var=False).confidence_interval(0.95)
    assert accuracy_difference_interval(first, second[:7], False) == pytest.approx((welch.low, welch.high))
    assert accuracy_difference_interval(first, first - 0.25, True) is None
    for one, other, kind in ((first, second[:9], True), (first[:1], second[:1], True), (first, second[:1], False)):
        with pytest.raises(DataError, match="folds give no interval"):
            accuracy_difference_interval(one, other, kind)
