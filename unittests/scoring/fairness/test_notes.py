"""What is remarked upon, what is not, and how few of a group still give a number."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.grouping import groupings
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold, check_reach, given_threshold
from fairface.scoring.roc import roc_curve, tar_at_fmr
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
FAST = FairnessOptions(rounds=0, min_subjects=10)
FEW = "too few subjects (fewer than"


@pytest.fixture(scope="module")
def world():
    return small_world(subjects=24, worse=0.2)


def test_enough_subjects_are_not_remarked_upon(world):
    scores, comparisons = world
    assert assess(scores, comparisons, ["sex"], AT, FAST).groupings["sex"].notes == ()
    notes = assess(scores, comparisons, ["sex"], AT, replace(FAST, min_subjects=13)).groupings["sex"].notes
    assert notes == (
        "too few subjects (fewer than 13 with genuine or with impostor comparisons), so excluded from measures: "
        "f (12), m (12)",
    )
    nobody = np.full(len(comparisons), -1)
    nameless = replace(comparisons, subject_a=nobody, subject_b=nobody)
    assert not any(note.startswith(FEW) for note in assess(scores, nameless, ["sex"], AT, FAST).groupings["sex"].notes)


@pytest.mark.parametrize(("lowest", "highest", "expected"), [
    (0.0, 1.0, -1.0), (-0.99, 0.5, -1.0), (-1.0, 0.5, -2.0), (0.0, 1.01, -1.0), (0.5, 1.01, -0.5), (-3.0, 0.0, -4.0),
])  # fmt: skip
def test_a_comparison_that_never_matches_scores_below_all_others(world, lowest, highest, expected):
    part = select(world[1], np.arange(len(world[1])) < 3)
    values, counted = usable_scores(np.array([lowest, np.nan, highest]), part, "no_match")
    assert values.tolist() == [lowest, expected, highest]
    assert counted.all()
    notes = assess(np.where(np.arange(len(world[0])) < 2, np.nan, world[0]), world[1], ["sex"], AT,
                   replace(FAST, unscored="no_match")).notes  # fmt: skip
    assert notes == ("2 comparisons without a usable score count as no match",)


def test_missing_scores_that_are_left_out_are_remarked_upon(world):
    scores, comparisons = world
    holes = np.where(np.arange(len(scores)) < 3, np.nan, scores)
    assert assess(holes, comparisons, ["sex"], AT, replace(FAST, unscored="leave_out")).notes == (
        "3 comparisons without a usable score were left out",
    )


def test_a_threshold_at_the_only_score_is_not_above_any():
    with pytest.raises(DataError, match=r"is not above any score: they go from 0\.5 to 0\.5"):
        check_reach(given_threshold(0.5), np.full(3, 0.5))


@pytest.mark.parametrize("genuine", [1, 2])
def test_a_single_comparison_of_a_kind_makes_a_curve(world, genuine):
    scores, comparisons = world
    of_f = comparisons.attributes[comparisons.a, 0] == 0
    order = np.cumsum(comparisons.same & of_f)
    kept = ~(comparisons.same & of_f) | (order <= genuine)
    curve = group_curves(scores[kept], select(comparisons, kept), ["sex"], rounds=0, grid=(0.05, 0.5))[0]
    row = assess(scores[kept], select(comparisons, kept), ["sex"], AT, FAST).groupings["sex"].row("f").fnmr
    assert (row.comparisons, row.subjects) == (genuine, 1)
    assert row.value == row.errors / genuine
    assert row.reason == "one subject only"
    inside = scores[kept & of_f & comparisons.same]
    impostors = scores[kept & ~comparisons.same & of_f & (comparisons.attributes[comparisons.b, 0] == 0)]
    beaten = [(score > impostors).mean() + (score == impostors).mean() / 2 for score in inside]
    assert curve.auc == pytest.approx(np.mean(beaten), abs=1e-12)
    assert curve.auc_interval is None
    assert np.isnan([curve.low, curve.high]).all()
    told = curve.to_dict()
    assert (told["group"], told["auc_interval"], told["reason"], told["fmr"]) == ("f", None, "", [0.05, 0.5])
    assert told["low"] == told["high"] == [None, None]
    assert told["tar"] == [float(value) for value in curve.tar]


def test_a_single_impostor_comparison_makes_a_curve_and_none_makes_none(world):
    scores, comparisons = world
    of_f = (comparisons.attributes[comparisons.a, 0] == 0) & (comparisons.attributes[comparisons.b, 0] == 0)
    order = np.cumsum(~comparisons.same & of_f)
    for impostors in (1, 0):
        kept = ~(~comparisons.same & of_f) | (order <= impostors)
        curve = group_curves(scores[kept], select(comparisons, kept), ["sex"], rounds=0)[0]
        assert (curve.roc is not None) == bool(impostors)
        assert curve.reason == ("" if impostors else "36 genuine and 0 impostor comparisons")


def test_curves_have_the_intervals_that_are_asked_for_and_leave_out_missing_scores(world):
    scores, comparisons = world
    holes = np.where(np.arange(len(scores)) % 7 == 0, np.nan, scores)
    found = group_curves(holes, comparisons, ["sex"], rounds=15, level=0.7, seed=2, grid=(0.1, 0.4))
    again = group_curves(scores[np.isfinite(holes)], select(comparisons, np.isfinite(holes)), ["sex"], 15, 0.7, 2,
                         (0.1, 0.4))  # fmt: skip
    assert [curve.to_dict() for curve in found] == [curve.to_dict() for curve in again]
    assert found[0].to_dict()["auc_interval"]["level"] == 0.7
    assert found[0].auc_interval.rounds <= 15
    nobody = np.full(len(comparisons), -1)
    nameless = replace(comparisons, subject_a=nobody, subject_b=nobody)
    said = group_curves(scores, nameless, ["sex"], rounds=5, grid=(0.1,))[1]
    assert said.reason.startswith("the comparisons name no subjects")
    assert said.auc_interval is None
    assert math.isfinite(said.tar[0])


def test_seeds_are_whole_numbers_of_63_bits():
    assert FairnessOptions(seed=(1 << 63) - 1).seed == 9223372036854775807
    with pytest.raises(ConfigError, match="seed is 9223372036854775808; it must be a whole number from 0"):
        FairnessOptions(seed=1 << 63)


def test_attributes_are_judged_each_and_together():
    assert groupings(["sex"]) == groupings(["sex", "sex"]) == [("sex",)]
    assert groupings(["sex", "skin", "sex"]) == [("sex",), ("skin",), ("sex", "skin")]


def test_a_ratio_with_a_rate_of_0_below_has_neither_value_nor_interval(world):
    """Resampled rates may have one all the same."""
    scores, comparisons = world
    perfect = np.where(comparisons.same & (comparisons.attributes[comparisons.a, 0] == 1), 0.9, scores)
    options = replace(FAST, rounds=60)
    found = assess(perfect, comparisons, ["sex"], AT, options).groupings["sex"].scalars["inequity_rate"]
    assert np.isnan([found.value, found.low, found.high, found.null_median, found.p_value]).all()
    assert "FNMR is 0 in 1 of 2 groups: division by 0" in found.reason
    assert found.to_dict()["unbounded"] is False


@pytest.mark.parametrize(("target", "needed"), [(0.05, 20), (1 / 20.05, 21), (1 / 20.000001, 21)])
def test_a_rate_needs_a_whole_number_of_impostors(target, needed):
    for impostors in (needed - 1, needed):
        scores, same = np.append(np.arange(impostors) / 100, 0.9), np.arange(impostors + 1) == impostors
        measured = tar_at_fmr(roc_curve(scores, same), target)
        if impostors == needed:
            assert measured.value == 1.0
            assert calibrated_threshold(scores, same, target).target == target
            continue
        assert measured.reason.endswith(f"needs at least {needed}")
        with pytest.raises(DataError, match=f"it needs at least {needed}"):
            calibrated_threshold(scores, same, target)


@pytest.mark.parametrize("key", ["target_fnmr", "target_fmr"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.5])
def test_a_difference_to_plan_for_lies_between_0_and_1(key, value):
    with pytest.raises(ConfigError, match=f"{key} is {value}; it must be between 0 and 1"):
        FairnessOptions(**{key: value})
    assert getattr(FairnessOptions(**{key: 0.999}), key) == 0.999
