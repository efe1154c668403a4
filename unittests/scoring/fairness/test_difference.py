"""When a difference of two models has an interval, and when it has a verdict."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fairface.report.fairness_sections import changes_section
from fairface.scoring.fairness.compare import compare_errors
from fairface.scoring.fairness.difference import ALIKE, BETTER, UNCLEAR, WORSE, PairedCounts, difference
from fairface.scoring.fairness.options import FairnessOptions
from unittests.scoring.fairness.helpers import small_world

OPTIONS = FairnessOptions(rounds=80, min_subjects=20)
NAN = math.nan


@pytest.mark.parametrize(
    ("ends", "low", "high", "told"),
    [
        ((0.1, 0.4), 0.2, 0.4, (0.2, 0.4, WORSE, "")),
        ((0.4, 0.1), -0.4, -0.2, (-0.4, -0.2, BETTER, "")),
        ((0.1, 0.4), -0.1, 0.7, (-0.1, 0.7, UNCLEAR, "")),
        ((0.1, 0.4), 0.3, 0.3, (NAN, NAN, UNCLEAR, ALIKE)),
        ((0.1, 0.4), 0.3, 0.3 + 1e-15, (NAN, NAN, UNCLEAR, ALIKE)),
        ((0.1, 0.1), 0.0, 0.0, (0.0, 0.0, UNCLEAR, "")),
        ((0.1, 0.1 + 1e-16), 1e-17, 1e-17, (1e-17, 1e-17, UNCLEAR, "")),
        ((NAN, 0.4), 0.2, 0.4, (NAN, NAN, UNCLEAR, "")),
        ((0.4, NAN), -0.4, -0.2, (NAN, NAN, UNCLEAR, "")),
        ((0.1, 0.4), NAN, NAN, (NAN, NAN, UNCLEAR, "")),
    ],
)
def test_certainty_out_of_nothing_and_undefined_numbers_decide_nothing(ends, low, high, told):
    found = difference(*ends, low, high)
    np.testing.assert_equal((found.low, found.high, found.verdict, found.reason), told)
    assert difference(*ends, low, high, no_verdict="few").verdict == UNCLEAR


def test_few_is_the_reason_only_where_it_takes_a_verdict():
    assert difference(0.1, 0.4, 0.2, 0.4, no_verdict="few").reason == "few"
    assert difference(0.1, 0.4, -0.2, 0.8, no_verdict="few").reason == ""
    assert difference(0.1, 0.4, 0.2, 0.4, worse_when_larger=False).verdict == BETTER


def test_counts_as_a_sentence():
    told = "7 of 9 comparisons are compared: 1 has no score before, 2 none after"
    assert str(PairedCounts(9, 1, 2, 7)) == told


def world(subjects=60):
    _, comparisons = small_world(subjects=subjects)
    errors = (np.random.default_rng(3).random(len(comparisons)) < 0.3).astype(float)
    return errors, comparisons


def test_a_change_that_is_the_same_for_everybody_has_no_interval():
    """A tenth for each comparison of f: no subject differs from another, so nothing is known of other subjects."""
    errors, comparisons = world()
    of_f = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0)
    change = compare_errors(errors, errors + 0.1 * of_f, comparisons, ["sex"], OPTIONS)["sex"]
    f = change.fnmr["f"]
    assert f.value == pytest.approx(0.1, abs=1e-12)
    assert (math.isnan(f.low), math.isnan(f.high), f.verdict, f.reason) == (True, True, UNCLEAR, ALIKE)
    assert (change.fnmr["m"].value, change.fnmr["m"].low, change.fnmr["m"].reason) == (0.0, 0.0, "")


def test_measures_of_a_group_whose_subjects_are_alike_have_no_interval():
    """One of three genuine comparisons of each subject of f goes wrong, before none of them does."""
    errors, comparisons = world()
    of_f = np.flatnonzero(comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0))
    before, after = errors.copy(), errors.copy()
    before[of_f], after[of_f] = 0.0, np.arange(len(of_f)) % 3 == 0
    change = compare_errors(before, after, comparisons, ["sex"], OPTIONS)["sex"]
    for name in ("fnmr_gap", "fnmr_worst", "fnmr_gini", "garbe"):
        found = change.scalars[name]
        assert math.isnan(found.low), name
        assert (found.verdict, found.reason) == (UNCLEAR, ALIKE)
    assert not math.isnan(change.scalars["fmr_gap"].low)


@pytest.mark.parametrize("subjects", [2, 3, 19])
def test_below_the_least_number_of_subjects_there_is_no_verdict(subjects):
    """As many subjects in each group; of the three errors of each, one subject loses one and every other all."""
    _, comparisons = small_world(subjects=2 * subjects)
    before = comparisons.same.astype(float)
    after = np.zeros(len(before))
    after[:2] = 1.0  # the first comparison of two of subject 0
    change = compare_errors(before, after, comparisons, ["sex"], OPTIONS)["sex"].fnmr["f"]
    fewer = -np.append(1 / 3, np.ones(subjects - 1))
    assert change.value == pytest.approx(fewer.mean(), abs=1e-12)
    assert change.verdict == UNCLEAR
    if subjects > 3:
        assert change.high < 0
        assert change.reason == f"{subjects} subjects; a verdict needs 20"
        enough = replace(OPTIONS, min_subjects=subjects)
        assert compare_errors(before, after, comparisons, ["sex"], enough)["sex"].fnmr["f"].verdict == BETTER
    else:  # the t interval of these numbers, with subjects - 1 degrees of freedom
        half = stats.t.ppf(0.975, subjects - 1) * stats.sem(fewer)
        assert (change.high - change.low) / 2 == pytest.approx(half, rel=1e-9)


def test_verdicts_say_how_many_they_are_and_that_thresholds_are_given():
    errors, comparisons = world()
    found = compare_errors(errors, errors[::-1], comparisons, ["sex"], OPTIONS)["sex"]
    judged = [one for part in (found.fnmr, found.fmr, found.scalars) for one in part.values() if one.reason == ""]
    assert len(judged) > 4
    assert found.notes[0].startswith(f"{len(judged)} verdicts, each for itself: ")
    assert found.notes[1].startswith("intervals take both thresholds as given: ")
    assert found.to_dict()["notes"] == list(found.notes)
    lines = changes_section(found).lines
    assert set(found.notes) <= set(lines)
    one = replace(found, fnmr={"f": judged[0]}, fmr={}, scalars={})
    assert one.notes == found.notes[1:]  # a single verdict is not one of several
    assert replace(found, fnmr={}, fmr={}, scalars={}).notes == ()


def test_a_ratio_that_was_undefined_before_is_neither_better_nor_worse():
    """Without an error rounds put small rates for 0, so each of them has a ratio; the ratio itself has not."""
    errors, comparisons = world()
    of_f = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0)
    found = compare_errors(errors * ~of_f, errors, comparisons, ["sex"], OPTIONS)["sex"].scalars["fnmr_max_min"]
    assert math.isnan(found.before)
    assert not math.isnan(found.after)
    told = found.to_dict()
    assert (told["value"], told["low"], told["high"]) == (None, None, None)
    assert (told["verdict"], told["reason"]) == (UNCLEAR, "a division by a rate of 0")
