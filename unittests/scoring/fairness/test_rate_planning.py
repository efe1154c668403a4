"""Planning for groups without an error, without comparisons, and at differences that cannot be seen."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rate import plan
from fairface.scoring.fairness.spread import Spread
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
OPTIONS = FairnessOptions(rounds=0, min_subjects=2)
STEP = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)


def cells(rate, comparisons, variance, subjects):
    """A spread of so many cells as there are rates."""
    rate, comparisons = np.array(rate, float), np.array(comparisons, float)
    return Spread(rate, comparisons, rate * comparisons, np.array(subjects), np.array(variance, float),
                  np.full(len(rate), 9.0), True, np.array(subjects, float))  # fmt: skip


def test_others_are_pooled_by_their_comparisons():
    found = plan(cells([0.3, 0.1, 0.2], [50, 100, 300], [4e-4, 1e-4, 2e-4], [20, 40, 60]), 0, np.array([1, 2]), 0.95,
                 0.8, None)  # fmt: skip
    others, rest = 0.25 * 0.1 + 0.75 * 0.2, 0.25**2 * 1e-4 + 0.75**2 * 2e-4
    wanted = 0.3 - others
    assert found.others == pytest.approx(others, rel=1e-12)
    assert found.target == pytest.approx(wanted, rel=1e-12)
    assert found.detectable == pytest.approx(STEP * math.sqrt(4e-4 + rest), rel=1e-12)
    assert found.subjects_needed == math.ceil(20 * 4e-4 / ((wanted / STEP) ** 2 - rest))
    assert found.times_all == pytest.approx((found.detectable / wanted) ** 2, rel=1e-12)
    assert (found.power, found.reason) == (0.8, "")


def test_the_chance_and_the_level_that_are_asked_for_count():
    spread = cells([0.3, 0.1], [50, 100], [4e-4, 1e-4], [20, 40])
    found = plan(spread, 0, np.array([1]), 0.9, 0.6, 0.15)
    step = stats.norm.ppf(0.95) + stats.norm.ppf(0.6)
    assert found.detectable == pytest.approx(step * math.sqrt(5e-4), rel=1e-12)
    assert (found.target, found.power) == (0.15, 0.6)
    assert found.subjects_needed == math.ceil(20 * 4e-4 / ((0.15 / step) ** 2 - 1e-4))


def test_a_group_without_an_error_is_taken_to_have_the_others_rate():
    """Each of its subjects then counts as one comparison."""
    found = plan(cells([0.0, 0.2], [90, 90], [0.0, 1e-3], [30, 30]), 0, np.array([1]), 0.95, 0.8, None)
    own = 0.2 * 0.8 / 30
    assert found.detectable == pytest.approx(STEP * math.sqrt(own + 1e-3), rel=1e-12)
    assert found.subjects_needed == math.ceil(30 * own / ((0.2 / STEP) ** 2 - 1e-3))


@pytest.mark.parametrize(("rate", "said"), [
    (0.0, "there is no error in any group"), (1.0, "every comparison of every group is an error"),
])  # fmt: skip
def test_rates_that_do_not_vary_at_all(rate, said):
    found = plan(cells([rate, rate], [9, 9], [0.0, 0.0], [3, 3]), 0, np.array([1]), 0.95, 0.8, 0.1)
    assert found.others == rate
    assert found.reason == said
    assert np.isnan([found.detectable, found.target, found.subjects_needed, found.times_all]).all()


@pytest.mark.parametrize(("own", "other"), [
    ((0.1, 0, 0.0, 0), (0.2, 9, 1e-3, 3)),  # no comparison here
    ((0.1, 9, np.nan, 1), (0.2, 9, 1e-3, 3)),
    ((0.1, 9, 1e-3, 3), (0.2, 0, 0.0, 0)),  # or in all others
    ((0.1, 9, 1e-3, 3), (0.2, 9, np.nan, 1)),
])  # fmt: skip
def test_what_has_no_spread_has_no_plan(own, other):
    found = plan(cells(*zip(own, other, strict=True)), 0, np.array([1]), 0.95, 0.8, None)
    assert found.reason == "the spread between subjects is undefined here or in all other groups"
    numbers = [found.others, found.detectable, found.target, found.subjects_needed, found.times_all]
    assert np.isnan(numbers).all()
    assert found.power == 0.8


def test_equal_rates_need_any_number_of_subjects():
    found = plan(cells([0.1, 0.1], [9, 9], [1e-3, 1e-3], [3, 3]), 0, np.array([1]), 0.95, 0.8, None)
    assert found.target == 0.0
    assert math.isinf(found.subjects_needed)
    assert math.isinf(found.times_all)
    assert found.reason.startswith("more subjects in this group alone are not enough")


def test_plans_and_areas_of_a_group_without_genuine_comparisons():
    scores, comparisons = small_world(subjects=20)
    of_f = comparisons.attributes[comparisons.a, 0] == 0
    kept = ~(of_f & comparisons.same)
    rows = assess(scores[kept], select(comparisons, kept), ["sex"], AT, OPTIONS).groupings["sex"].rows
    for row in rows:
        assert row.fnmr_plan.reason.startswith("the spread between subjects is undefined")
        assert row.fmr_plan.reason == "" or row.fmr_plan.reason.startswith("more subjects")
    assert [row.auc_reason for row in rows] == ["0 genuine and 45 impostor comparisons", ""]
    other = replace(OPTIONS, target_fnmr=0.2, target_fmr=0.1)
    plans = assess(scores, comparisons, ["sex"], AT, other).groupings["sex"].row("f")
    assert (plans.fnmr_plan.target, plans.fmr_plan.target) == (0.2, 0.1)
    assert plans.to_dict()["fnmr_plan"]["target"] == 0.2
    assert plans.to_dict()["fmr_plan"]["target"] == 0.1
