"""Rates of very few subjects: when there is an interval, what it is, and the reason where there is none."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.gate import failures, parse_condition
from fairface.scoring.fairness.interval import rate_interval
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.scalars import Scalar
from fairface.scoring.fairness.spread import Spread
from fairface.scoring.fairness.threshold import calibrated_threshold, given_threshold
from fairface.scoring.fairness.worst import worst_group
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.5)
QUIET = FairnessOptions(rounds=0, min_subjects=2)


def subjects_of_one_group(subjects, wrong=()):
    """One genuine comparison each, every two subjects compared once; ``wrong`` are positions that go wrong."""
    genuine = [(2 * s, 2 * s + 1) for s in range(subjects)]
    impostor = [(2 * s, 2 * t) for s in range(subjects) for t in range(s)]
    a, b = np.array([*genuine, *impostor], np.int64).T
    same = np.arange(len(a)) < subjects
    right = np.where(same, 0.9, 0.1)
    scores = np.where(np.isin(np.arange(len(a)), wrong), 1 - right, right)
    attributes = np.zeros((2 * subjects, 1), np.int8)
    return scores, Comparisons(
        a, b, same, np.full(len(a), -1, np.int32), a // 2, b // 2, attributes, ("g",), attribute_values=(("all",),)
    )


def row(subjects, wrong=()):
    return assess(*subjects_of_one_group(subjects, wrong), ["g"], AT, QUIET).groupings["g"].row("all")


@pytest.mark.parametrize("subjects", [2, 3, 4, 5, 9])
def test_no_error_needs_two_subjects_or_two_pairs_of_subjects(subjects):
    found = row(subjects)
    assert (found.fnmr.value, found.fnmr.low) == (0.0, 0.0)
    assert found.fnmr.high == pytest.approx(1 - 0.025 ** (1 / subjects), rel=1e-12)
    pairs = subjects * (subjects - 1) // 2
    assert (found.fmr.value, found.fmr.comparisons, found.fmr.subjects) == (0.0, pairs, subjects)
    if subjects < 4:
        assert math.isnan(found.fmr.low)
        assert found.fmr.reason == f"{subjects} subjects are too few for a confidence interval over subjects"
    else:
        assert found.fmr.high == pytest.approx(1 - 0.025 ** (1 / (subjects // 2)), rel=1e-12)
        assert found.fmr.reason == ""


@pytest.mark.parametrize("subjects", [4, 7])
def test_nothing_but_errors_mirrors_no_error(subjects):
    found = row(subjects, range(subjects + subjects * (subjects - 1) // 2 - 1))  # one impostor comparison is right
    assert (found.fnmr.value, found.fnmr.high) == (1.0, 1.0)
    assert found.fnmr.low == pytest.approx(0.025 ** (1 / subjects), rel=1e-12)


def test_one_subject_has_no_interval_and_says_so():
    scores, comparisons = subjects_of_one_group(5)
    group = np.zeros((10, 1), np.int8)
    group[2:] = 1
    apart = replace(comparisons, attributes=group, attribute_values=(("one", "four"),))
    result = assess(scores, apart, ["g"], AT, QUIET)
    alone = result.groupings["g"].row("one")
    assert (alone.fnmr.value, alone.fnmr.subjects, alone.fnmr.reason) == (0.0, 1, "one subject only")
    assert math.isnan(alone.fnmr.low)


def cell(rate, n, variance, freedom=1e9, genuine=True):
    values = (np.array([v]) for v in (rate, n, round(rate * n), 20, variance, freedom))
    return Spread(*values, genuine, np.array([20.0]))


def test_an_interval_never_counts_more_comparisons_than_there_are():
    """A variance that is smaller than chance alone would give is taken for chance."""
    expected = stats.binomtest(10, 40).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(rate_interval(cell(0.25, 40, 1e-9), 0, 0.95), list(expected), rtol=1e-6)
    half = stats.norm.ppf(0.95) / math.sqrt(40 * 0.25 * 0.75)
    found = rate_interval(cell(0.25, 40, 1e-9, genuine=False), 0, 0.9)
    np.testing.assert_allclose(special.logit(found), special.logit(0.25) + np.array([-half, half]), rtol=1e-6)


def test_an_interval_of_a_rate_stays_between_0_and_1_and_uses_its_degrees_of_freedom():
    low, high = rate_interval(cell(0.02, 50, 0.02**2, 3), 0, 0.99)
    assert low >= 0
    assert high <= 1
    few, many = (rate_interval(cell(0.3, 100, 0.01, freedom), 0, 0.95) for freedom in (3, 300))
    assert few[1] - few[0] > 1.2 * (many[1] - many[0])
    for genuine in (True, False):
        assert np.isnan(rate_interval(cell(0.3, 100, 0.0, genuine=genuine), 0, 0.95)).all()
        assert np.isnan(rate_interval(cell(0.3, 100, np.nan, genuine=genuine), 0, 0.95)).all()
    nobody = replace(cell(0.3, 100, 0.01), subjects=np.array([0]))
    assert np.isnan(rate_interval(nobody, 0, 0.95)).all()
    nothing = replace(cell(0.3, 100, 0.01), comparisons=np.array([0.0]))
    assert np.isnan(rate_interval(nothing, 0, 0.95)).all()


@pytest.mark.parametrize("impostors", [19, 20])
def test_a_threshold_needs_one_impostor_comparison_for_each_share(impostors):
    scores = np.append(np.arange(impostors) / 100, 0.9)
    same = np.arange(impostors + 1) == impostors
    if impostors < 20:
        with pytest.raises(DataError, match=r"set\.csv: 19 impostor comparisons cannot set .*; it needs at least 20"):
            calibrated_threshold(scores, same, 0.05, "set.csv")
        return
    found = calibrated_threshold(scores, same, 0.05, "set.csv")
    assert (found.value, found.target, found.optimistic) == (0.19, 0.05, False)
    assert found.how == "FMR 0.05 on set.csv (1 of 20 impostor comparisons matches)"
    assert found.to_dict() == {"value": 0.19, "how": found.how, "target_fmr": 0.05, "optimistic": False,
                               "same_people": False}  # fmt: skip
    assert given_threshold(0.5).to_dict() == {"value": 0.5, "how": "given", "target_fmr": None, "optimistic": False,
                                              "same_people": False}  # fmt: skip


def test_scores_that_are_missing():
    _, comparisons = subjects_of_one_group(3)
    scores = np.array([0.9, np.nan, 0.7, 0.2, -np.inf, 0.3])
    values, counted = usable_scores(scores, comparisons, "leave_out")
    assert counted.tolist() == [True, False, True, True, False, True]
    np.testing.assert_array_equal(values[counted], [0.9, 0.7, 0.2, 0.3])
    values, counted = usable_scores(scores, comparisons, "no_match")
    assert counted.all()
    assert values.tolist() == [0.9, -1.0, 0.7, 0.2, -1.0, 0.3]  # the lowest cosine
    assert usable_scores(scores * 2, comparisons, "no_match")[0].tolist() == [1.8, -0.6, 1.4, 0.4, -0.6, 0.6]
    for unscored in ("leave_out", "no_match"):
        with pytest.raises(DataError, match=r"6 of 6 scores are not finite \(first: comparison 0\)"):
            usable_scores(np.full(6, np.nan), comparisons, unscored)
    with pytest.raises(DataError, match=r"2 of 6 scores are not finite \(first: comparison 1\)"):
        usable_scores(scores, comparisons, "error")
    with pytest.raises(DataError, match="unscored 'maybe' is not known"):
        usable_scores(scores, comparisons, "maybe")


@pytest.mark.parametrize(
    ("text", "met"),
    [("x>0.5", False), ("x>=0.5", True), ("x<0.25", False), ("x<=0.25", True), ("x@value>0.3", False),
     ("x@value>=0.3", True), ("x@value<0.3", False), ("x@value<=.3", True), ("x@low>=2.5e-1", True),
     ("x@high<1", True)],
)  # fmt: skip
def test_a_bound_that_is_just_reached(text, met):
    scalar = Scalar("x", 0.3, 0.25, 0.5, 0.95, 0.0, True, ("f", "m"))
    assert bool(failures([parse_condition(text)], {"sex": {"x": scalar}})) == met


def test_the_worst_group_is_that_of_the_highest_rate_with_its_counts():
    scores, comparisons = small_world(worse=0.4)
    grouping = assess(scores, comparisons, ["sex"], given_threshold(0.35), QUIET).groupings["sex"]
    rate = grouping.row("f").fnmr
    found = worst_group(grouping, "fnmr")
    assert found.message == (
        f"worst FNMR: f with {rate.value:.4g} [{rate.low:.4g}, {rate.high:.4g}] "
        f"({rate.errors} of 90 comparisons of 30 subjects)"
    )
    other = worst_group(grouping, "fmr")
    assert other.rate.value == max(grouping.row(g).fmr.value for g in "fm")
    assert not other.distinguishable
    assert other.message.endswith("; the groups' rates are not distinguishable from equal rates")
