"""Intervals of scalars: groups whose rate nothing bounds, and measures of two types of error."""

import math

import numpy as np
import pytest

from fairface.report.fairness_measures import measure_sections
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.gate import failures, parse_condition
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.fairness.interval import difference_interval, gap_interval, ratio_interval
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rate import cell_interval
from fairface.scoring.fairness.rules import RULES, Setting
from fairface.scoring.fairness.scalars import GroupRates, measure
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
NAN = math.nan


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("rates", [(0.1, 0.2, 0.3), (0.0, 0.2, 0.3)])
def test_a_rate_without_an_interval_leaves_the_gap_and_the_ratio_without_one(place, rates):
    values = np.array(rates)
    for ends in ((NAN, NAN), (0.0, NAN), (NAN, 0.9)):
        low, high = values * 0.5, values * 1.5 + 0.01
        low[place], high[place] = ends
        assert np.isnan(gap_interval(values, low, high)).all()
        assert np.isnan(ratio_interval(values, low, high)).all()


def test_a_gate_does_not_pass_on_a_group_that_nothing_bounds():
    """In group m one of three comparisons of each subject goes wrong: no spread is seen, so there is no interval."""
    scores, comparisons = small_world(values=("f", "m", "x"), worse=0.05)
    of_m = np.flatnonzero(comparisons.same & (comparisons.attributes[comparisons.a, 0] == 1))
    scores[of_m] = np.where(np.arange(len(of_m)) % 3 == 0, 0.1, 0.9)
    result = assess(scores, comparisons, ["sex"], AT, FairnessOptions(rounds=60, min_subjects=10))
    grouping = result.groupings["sex"]
    m = grouping.row("m").fnmr
    assert (m.value, m.subjects) == (pytest.approx(1 / 3), 20)
    assert math.isnan(m.low)
    assert "all subjects come out alike" in m.reason
    reason = "the FNMR of a group has no confidence interval"
    for name in ("fnmr_worst", "fnmr_gap", "fnmr_max_min", "fnmr_gini", "garbe", "fdr"):
        scalar = grouping.scalars[name]
        assert not math.isnan(scalar.value)
        assert (math.isnan(scalar.low), math.isnan(scalar.high), scalar.reason) == (True, True, reason), name
        sign = "<" if name == "fdr" else ">"
        limit = 0.0 if name == "fdr" else 999
        (met,) = failures([parse_condition(f"{name}{sign}{limit}")], {"sex": grouping.scalars})
        assert met.endswith(f"{name} is undefined ({reason}), so it cannot be shown to pass")
    assert grouping.scalars["fmr_gap"].reason == ""
    lines = [line for section in measure_sections(grouping, AT) for line in section.lines]
    assert any(line.startswith("fnmr_worst, fnmr_gap") and line.endswith(f"interval n/a: {reason}") for line in lines)


def rates_of(name, joint_low):
    """Two groups whose gap is told apart alone, and jointly where ``joint_low`` is above 0."""
    rounds = np.column_stack([np.linspace(0.05, 0.07, 50), np.linspace(0.10, 0.14, 50)])
    return GroupRates(name, np.array([0.06, 0.12]), rounds, np.zeros((0, 2)), (0.1, 0.2), (0.01, 0.1),
                      (joint_low, 0.12), (1.1, 3.0), (1.05, 4.0))  # fmt: skip


@pytest.mark.parametrize("joint_low", [0.0, 0.005])
def test_the_inequity_rate_lies_between_those_of_both_ratios(joint_low):
    rule = next(rule for rule in RULES if rule.name == "inequity_rate")
    both = [rates_of("fmr", 0.0), rates_of("fnmr", joint_low)]
    found = measure(rule, both, Setting(0.25, np.ones(2), np.ones(2)), ("f", "m"), 0.95)
    assert found.value == pytest.approx(2.0)
    assert found.low == (1.0 if joint_low == 0 else pytest.approx(1.05))  # 1.05^(1/4) 1.05^(3/4)
    assert found.high == pytest.approx(4.0)


def test_rounds_that_often_have_no_value_leave_the_upper_end_open():
    """A Gini coefficient has none where no group has an error."""
    rule = next(rule for rule in RULES if rule.name == "fnmr_gini")
    few, many = rates_of("fnmr", 0.005), rates_of("fnmr", 0.005)
    few.rounds[:1], many.rounds[:2] = 0.0, 0.0  # of 50: 2 % and 4 %, of which 2.5 % may be missing
    each = [measure(rule, [one], Setting(0.5, np.ones(2), np.ones(2)), ("f", "m"), 0.95) for one in (few, many)]
    assert each[0].high < 1
    assert each[1].high == math.inf


@pytest.mark.parametrize("name", ["fdr", "garbe"])
@pytest.mark.parametrize("joint_low", [0.0, 0.005])
def test_a_measure_of_both_errors_excludes_equality_where_a_gap_holds_jointly(name, joint_low):
    rule = next(rule for rule in RULES if rule.name == name)
    both = [rates_of("fmr", 0.0), rates_of("fnmr", joint_low)]
    found = measure(rule, both, Setting(0.5, np.ones(2), np.ones(2)), ("f", "m"), 0.95)
    towards_equality = found.high if name == "fdr" else found.low
    assert (towards_equality == rule.best) == (joint_low == 0)
    alone = next(rule for rule in RULES if rule.name == "fnmr_gini")
    one = measure(alone, both[1:], Setting(0.5, np.ones(2), np.ones(2)), ("f", "m"), 0.95)
    assert one.low > 0  # one type of error: one gap at the level itself


def test_the_joint_gap_is_taken_at_half_the_chance_of_an_error():
    scores, comparisons = small_world(worse=0.1)
    wrong = ((scores >= 0.35) != comparisons.same).astype(float)
    everything = np.ones(len(scores), bool)
    options = FairnessOptions(rounds=0, min_subjects=10, level=0.9)
    grouped = Grouped(comparisons, group_images(comparisons, ["sex"]), scores, wrong, everything, options)
    found = grouped.fnmr.of_groups(np.arange(2), np.zeros((0, 2)))
    for level, gap, ratio in ((0.9, found.gap, found.ratio), (0.95, found.joint_gap, found.joint_ratio)):
        f, m = (cell_interval(grouped.fnmr.spread, cell, level, grouped.fnmr.independent) for cell in (0, 3))
        rates = grouped.fnmr.spread.rate[[0, 3]]
        expected = difference_interval(rates[0], f, rates[1], m)
        assert gap == pytest.approx((max(0.0, expected[0]), expected[1]), abs=1e-12)
        expected = difference_interval(np.log(rates[0]), np.log(f), np.log(rates[1]), np.log(m))
        assert ratio == pytest.approx((max(1.0, np.exp(expected[0])), np.exp(expected[1])), abs=1e-12)
    assert found.joint_gap[0] < found.gap[0]


def test_a_ratio_below_equality_says_what_stands_for_no_error():
    """Two of 84 comparisons of f go wrong and none of 76 of m: in the mean 1 - 0.05 ** (1 / 76) stands for the 0."""
    rule = next(rule for rule in RULES if rule.name == "fnmr_max_geomean")
    unlimited = ((0.0, 1.0),) * 5

    def found(rates, genuine):
        one = GroupRates("fnmr", np.array(rates), np.zeros((0, 2)), np.zeros((0, 2)), *unlimited)
        return measure(rule, [one], Setting(0.5, np.array([4000, 4000]), np.array(genuine)), ("f", "m"), 0.95)

    few = found([2 / 84, 0.0], [84, 76])
    assert few.value == pytest.approx(math.sqrt(2 / 84 / (1 - 0.05 ** (1 / 76))))
    assert few.value < 1
    stands = "Max/GeoMean, NISTIR 8429 eq. 6-9; the upper bound stands for a rate of 0"
    assert few.note == f"{stands}, and a value below 1 says that there are too few comparisons for this measure"
    assert found([0.2, 0.0], [1000, 1000]).note == stands
    assert found([0.2, 0.1], [1000, 1000]).note == "Max/GeoMean, NISTIR 8429 eq. 6-9"
    gini = next(rule for rule in RULES if rule.name == "fnmr_gini")
    assert "stands" not in gini.note
