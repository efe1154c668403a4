"""The closed forms against loops over all pairs of comparisons."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from fairface.errors import DataError
from fairface.scoring.fairness.counts import compact, count_pairs, node_ends
from fairface.scoring.fairness.interval import (
    difference_interval,
    gap_interval,
    rate_interval,
    ratio_interval,
    simultaneous_level,
)
from fairface.scoring.fairness.rounds import rate_rounds
from fairface.scoring.fairness.spread import Spread, independent_comparisons, spread
from unittests.scoring.fairness.helpers import small_world


@pytest.fixture(scope="module")
def world():
    scores, comparisons = small_world(subjects=14, images=3, seed=4)
    wrong = ((scores >= 0.35) != comparisons.same).astype(float)
    return comparisons, wrong


def counted(comparisons, wrong, genuine):
    chosen = comparisons.same == genuine
    nodes, *ends = node_ends(comparisons, comparisons.attributes[:, 0].astype(np.int64), 2)
    return count_pairs(nodes, tuple(ends), wrong, chosen, genuine)


@pytest.mark.parametrize("genuine", [True, False])
@pytest.mark.parametrize(("g", "h"), [(0, 0), (1, 1), (0, 1)])
def test_rate_and_variance_equal_a_loop_over_all_pairs_of_comparisons(world, genuine, g, h):
    comparisons, wrong = world
    group = comparisons.attributes[:, 0]
    ends = np.sort(np.stack([group[comparisons.a], group[comparisons.b]]), axis=0)
    rows = np.flatnonzero((comparisons.same == genuine) & (ends[0] == g) & (ends[1] == h))
    counts = counted(comparisons, wrong, genuine)
    found = spread(counts, counts.cell, 4)
    cell = g * 2 + h
    assert found.comparisons[cell] == len(rows)
    if len(rows) == 0:
        assert np.isnan(found.rate[cell])
        return
    rate = wrong[rows].mean()
    subjects = [{comparisons.subject_a[r], comparisons.subject_b[r]} for r in rows]
    total = shared = 0.0
    for r, of_r in zip(rows, subjects, strict=True):
        for s, of_s in zip(rows, subjects, strict=True):
            if of_r & of_s:
                total += (wrong[r] - rate) * (wrong[s] - rate)
                shared += 1
    least = sum(
        (wrong[r] - rate) * (wrong[s] - rate)
        for r, of_r in zip(rows, subjects, strict=True) for s, of_s in zip(rows, subjects, strict=True) if of_r == of_s
    )  # fmt: skip
    variance = max(total, least) / len(rows) ** 2 / (1 - shared / len(rows) ** 2)
    assert found.rate[cell] == pytest.approx(rate, abs=1e-15)
    assert found.subjects[cell] == len(set().union(*subjects))
    assert found.variance[cell] == pytest.approx(variance, rel=1e-10)


def test_independent_comparisons_give_the_usual_variance():
    """One genuine comparison for each subject: the variance of a mean with n - 1."""
    _, comparisons = small_world(subjects=20, images=2)
    wrong = (np.arange(len(comparisons)) % 7 == 0).astype(float)
    counts = counted(comparisons, wrong, True)
    found = spread(counts, np.zeros(len(counts.first), np.int64), 1)
    values = wrong[comparisons.same]
    assert found.variance[0] == pytest.approx(values.var(ddof=1) / len(values), rel=1e-12)
    expected = np.clip(2 * 20 / (stats.kurtosis(values, fisher=False) - 1 + 2 / 19), 3, 19)
    assert found.degrees_of_freedom[0] == pytest.approx(expected, rel=1e-12)


def test_where_subjects_do_not_matter_drawing_them_gives_three_times_the_variance():
    """Pure chance, every two compared once: the truth is p (1 - p) / n. Never being below it costs a little."""
    rng = np.random.default_rng(0)
    _, comparisons = small_world(subjects=30, images=2, values=("all",))
    impostor = ~comparisons.same
    found, drawn = [], []
    nodes, *ends = node_ends(comparisons, np.zeros(60, np.int64), 1)
    for _ in range(200):
        wrong = (rng.random(len(comparisons)) < 0.2).astype(float)
        counts = count_pairs(nodes, tuple(ends), wrong, impostor, False)
        found.append(spread(counts, counts.cell, 1).variance[0])
        drawn.append(rate_rounds([counts], 20, 0)[0].var(ddof=1))
    truth = 0.16 / impostor.sum()
    assert truth < np.mean(found) < 1.4 * truth
    assert 2.5 * truth < np.mean(drawn) < 3.5 * truth


def test_pairs_that_share_nobody():
    _, comparisons = small_world(subjects=9, images=2)
    counts = counted(comparisons, np.zeros(len(comparisons)), False)
    picked = independent_comparisons(counts.only(counts.cell == 0))  # five subjects of group f
    assert picked == 2
    assert independent_comparisons(counted(comparisons, np.zeros(len(comparisons)), True)) == 9


def test_unknown_and_contradicting_subjects(world):
    from dataclasses import replace

    comparisons, wrong = world
    unknown = replace(comparisons, subject_a=np.full(len(comparisons), -1))
    counts = counted(unknown, wrong, False)
    found = spread(counts, counts.cell, 4)
    expected = spread(counted(comparisons, wrong, False), counted(comparisons, wrong, False).cell, 4)
    np.testing.assert_array_equal(found.rate, expected.rate)
    assert np.isnan(found.variance).all()
    assert (found.subjects == 0).all()
    with pytest.raises(DataError, match="genuine between two subjects or impostor within one"):
        counted(replace(comparisons, subject_a=comparisons.subject_b), wrong, False)


@pytest.mark.parametrize("largest", [50, 10**9])
def test_compact(largest):
    keys = np.random.default_rng(0).integers(0, largest, (2, 30))
    found, place = compact(keys)
    np.testing.assert_array_equal(found, np.unique(keys))
    np.testing.assert_array_equal(found[place], keys)


def one_cell(rate, n, variance, degrees_of_freedom=1e9, subjects=50, genuine=True):
    values = (np.array([value]) for value in (rate, n, round(rate * n), subjects, variance, degrees_of_freedom))
    return Spread(*values, genuine, np.array([float(subjects)]))


def test_wilson_interval_of_independent_comparisons():
    found = rate_interval(one_cell(0.07, 200, 0.07 * 0.93 / 200), 0, 0.95)
    expected = stats.binomtest(14, 200).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(found, [expected.low, expected.high], rtol=1e-6)
    wider = rate_interval(one_cell(0.07, 200, 4 * 0.07 * 0.93 / 200), 0, 0.95)
    quarter = stats.binomtest(7, 50).proportion_ci(0.95, method="wilson")  # another rate, the same number
    assert wider[1] - wider[0] > 1.8 * (found[1] - found[0])
    assert quarter.high - quarter.low > wider[1] - wider[0]


def test_logit_interval_of_impostors():
    deviation = 0.03
    found = rate_interval(one_cell(0.07, 2000, deviation**2, 12, genuine=False), 0, 0.95)
    half = stats.t.ppf(0.975, 12) * deviation / (0.07 * 0.93)
    np.testing.assert_allclose(special.logit(found), special.logit(0.07) + np.array([-half, half]), rtol=1e-12)


@pytest.mark.parametrize("errors", [0, 25])
def test_no_error_gives_the_exact_binomial_interval(errors):
    found = rate_interval(one_cell(errors / 25, 25, 0.0), 0, 0.9, independent=12)
    expected = stats.binomtest(12 if errors else 0, 12).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(found, [expected.low, expected.high], atol=1e-12)
    assert np.isnan(rate_interval(one_cell(0.0, 25, 0.0), 0, 0.9)).all()


@pytest.mark.parametrize(("groups", "level"), [(3, 0.95), (3, 0.999), (5, 0.9), (8, 0.5), (40, 0.99)])
def test_simultaneous_level_is_tukeys(groups, level):
    """The chance that the range of ``groups`` normal values stays below the quantile, summed over the smallest."""
    quantile = np.sqrt(2) * stats.norm.ppf((1 + simultaneous_level(groups, level)) / 2)
    chance, _ = integrate.quad(
        lambda z: groups * stats.norm.pdf(z) * (stats.norm.cdf(z + quantile) - stats.norm.cdf(z)) ** (groups - 1),
        -12, 12, points=(-6, -3, 0, 3), epsabs=1e-12, limit=200,
    )  # fmt: skip
    assert chance == pytest.approx(level, abs=1e-10)


def test_simultaneous_level_of_two_groups():
    assert simultaneous_level(2, 0.95) == 0.95


def test_difference_gap_and_ratio():
    half = np.sqrt(0.02)
    assert difference_interval(0.5, (0.4, 0.6), 0.2, (0.1, 0.3)) == pytest.approx((0.3 - half, 0.3 + half))
    rates, low, high = np.array([0.1, 0.12, 0.5]), np.array([0.05, 0.08, 0.4]), np.array([0.2, 0.2, 0.6])
    bounds = [
        difference_interval(rates[i], (low[i], high[i]), rates[j], (low[j], high[j]))
        for i in range(3) for j in range(3) if i != j
    ]  # fmt: skip
    assert gap_interval(rates, low, high) == (max(b[0] for b in bounds), max(b[1] for b in bounds))
    assert gap_interval(rates[:2], low[:2], high[:2])[0] == 0.0
    ratio = ratio_interval(rates, low, high)
    assert 1 < ratio[0] < 5 < ratio[1]
    scaled = ratio_interval(rates / 10, low / 10, high / 10)
    np.testing.assert_allclose(scaled, ratio, rtol=1e-12)
    with_zero = ratio_interval(np.array([0.0, 0.5]), np.array([0.0, 0.4]), np.array([0.1, 0.6]))
    assert with_zero == (pytest.approx(4.0), np.inf)
