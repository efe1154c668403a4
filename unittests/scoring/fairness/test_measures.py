"""Every scalar against its formula written as a loop."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairface.scoring.fairness.measures import (
    fdr,
    garbe,
    gini,
    inequity_rate,
    mape,
    max_geomean,
    max_min,
    mera,
    sedg,
    werm,
    zero_error_bound,
)
from fairface.scoring.fairness.rules import RULES, Setting

FMR, FNMR = np.array([0.01, 0.02, 0.04]), np.array([0.1, 0.05, 0.2])
WEIGHTS = np.array([100.0, 300.0, 50.0]), np.array([10.0, 20.0, 70.0])


def loop_gini(x):
    n = len(x)
    return n / (n - 1) * sum(abs(a - b) for a in x for b in x) / (2 * n * n * (sum(x) / n))


def test_formulas():
    a, b = max(FMR) - min(FMR), max(FNMR) - min(FNMR)
    for alpha in (0.0, 0.3, 1.0):
        assert fdr(FMR, FNMR, alpha) == pytest.approx(1 - (alpha * a + (1 - alpha) * b), abs=1e-15)
        assert inequity_rate(FMR, FNMR, alpha) == pytest.approx(4**alpha * 4 ** (1 - alpha), rel=1e-14)
        expected = alpha * loop_gini(FMR) + (1 - alpha) * loop_gini(FNMR)
        assert garbe(FMR, FNMR, alpha) == pytest.approx(expected, rel=1e-14)
    assert max_geomean(FMR, WEIGHTS[0]) == pytest.approx(0.04 / (0.01 * 0.02 * 0.04) ** (1 / 3), rel=1e-14)
    pooled = [sum(r * w) / sum(w) for r, w in zip((FMR, FNMR), WEIGHTS, strict=True)]
    expected = [abs(f - pooled[0]) / pooled[0] + abs(n - pooled[1]) / pooled[1] for f, n in zip(FMR, FNMR, strict=True)]
    np.testing.assert_allclose(sedg(FMR, FNMR, *WEIGHTS), expected, rtol=1e-14)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_many_sets_of_rates_at_once_equal_one_by_one(rule):
    rng = np.random.default_rng(0)
    rates = [rng.random((7, 3)) for _ in rule.error_types]
    setting = Setting(0.4, *WEIGHTS)
    together = rule.compute(rates, setting)
    single = [float(rule.compute([of[i] for of in rates], setting)) for i in range(7)]
    np.testing.assert_allclose(together, single, rtol=1e-14)


# The worst group's rate is a rate and no measure of equality.
@pytest.mark.parametrize("rule", [r for r in RULES if not r.name.endswith("worst")], ids=lambda rule: rule.name)
def test_equal_rates_have_the_best_value(rule):
    rates = [np.full(4, 0.07) for _ in rule.error_types]
    found = float(rule.compute(rates, Setting(0.5, np.arange(1.0, 5), np.ones(4))))
    assert found == pytest.approx(rule.best, abs=1e-12)


def test_a_ratio_with_zero_below_is_undefined():
    assert math.isnan(max_min(np.array([0.0, 0.1])))


@pytest.mark.parametrize("comparisons", [1, 20, 300, 5000])
def test_the_bound_of_zero_errors_is_clopper_and_pearsons(comparisons):
    expected = stats.binomtest(0, comparisons, alternative="less").proportion_ci(0.95, method="exact").high
    assert float(zero_error_bound(np.array(float(comparisons)))) == pytest.approx(expected, rel=1e-9)
    if comparisons >= 300:  # the rule of three
        assert expected == pytest.approx(3 / comparisons, rel=0.01)


def test_a_rate_of_zero_counts_as_its_bound_in_the_geometric_mean_alone():
    rates, comparisons = np.array([0.0, 0.02, 0.04]), np.array([600.0, 50.0, 100.0])
    bound = 1 - 0.05 ** (1 / 600)
    ratio = 0.04 / math.exp((math.log(bound) + math.log(0.02) + math.log(0.04)) / 3)
    assert max_geomean(rates, comparisons) == pytest.approx(ratio, rel=1e-12)
    other = 0.2 / math.exp((math.log(0.1) + math.log(0.05) + math.log(0.2)) / 3)
    assert werm(rates, FNMR, comparisons, WEIGHTS[1], 0.3) == pytest.approx(ratio**0.3 * other**0.7, rel=1e-12)
    few = np.array([10.0, 50.0, 100.0])  # the bound is above the highest rate
    assert max_geomean(rates, few) < 1


def test_mera_and_mape():
    assert mera(FMR) == pytest.approx(0.04 / (0.07 / 3), rel=1e-14)
    pooled = sum(rate * weight for rate, weight in zip(FMR, WEIGHTS[0], strict=True)) / 450
    assert mape(FMR, WEIGHTS[0]) == pytest.approx(sum(abs(rate - pooled) / pooled for rate in FMR) / 3, rel=1e-14)


def test_all_zero_rates():
    zero = np.zeros(3)
    assert math.isnan(gini(zero))
    assert math.isnan(mera(zero))
    assert math.isnan(max_geomean(zero, WEIGHTS[0]))
    assert math.isnan(mape(zero, WEIGHTS[0]))
    assert fdr(zero, zero, 0.5) == 1.0


@given(st.lists(st.floats(1e-3, 1.0), min_size=2, max_size=6), st.floats(0.1, 1.0))
@settings(max_examples=50, deadline=None)
def test_ratios_do_not_depend_on_the_scale_and_gini_lies_in_0_to_1(rates, scale):
    x = np.array(rates)
    geomean = partial(max_geomean, comparisons=np.ones(len(x)))
    for function in (max_min, geomean, mera, gini):
        assert function(x * scale) == pytest.approx(float(function(x)), rel=1e-9, abs=1e-12)
    assert -1e-12 <= gini(x) <= 1 + 1e-12
    assert mera(x) - 1e-12 <= geomean(x) <= max_min(x) + 1e-12
