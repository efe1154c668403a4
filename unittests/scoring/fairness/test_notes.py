"""What is remarked upon, what is not, and how few of a group still give a number."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness import cell_means, permutation, rounds
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from fairface.scoring.fairness.counts import Nodes, PairCounts
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.grouping import groupings
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.spread import independent_comparisons, spread
from fairface.scoring.fairness.threshold import check_reach, given_threshold
from unittests.scoring.fairness.helpers import small_world, with_attribute

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


def test_a_subject_with_nearly_all_comparisons_still_has_a_spread():
    """Shares 0.96 and 0.04: 1 less their squares is 0.0768, by which the sum of squares is divided."""
    nodes = Nodes(np.array([0, 1]), np.array([0, 0]), 2, 1)
    ends, comparisons, errors = np.array([0, 1]), np.array([96.0, 4.0]), np.array([48.0, 1.0])
    found = spread(PairCounts(nodes, ends, ends, comparisons, errors, True), np.zeros(2, np.int64), 1)
    sums = errors - comparisons * 0.49
    assert found.variance[0] == pytest.approx((sums**2).sum() / 100**2 / 0.0768, rel=1e-12)
    alone = PairCounts(nodes, ends[:1], ends[:1], comparisons[:1], errors[:1], True)
    assert np.isnan(spread(alone, np.zeros(1, np.int64), 2).variance).all()  # one subject, and no comparison


@pytest.mark.parametrize("asked", [99, 100, 101, 230])
def test_there_are_as_many_shuffles_as_are_asked_for(world, asked):
    scalar = assess(*world, ["sex"], AT, replace(FAST, rounds=asked)).groupings["sex"].scalars["fnmr_gap"]
    assert scalar.null_rounds == asked


def test_long_lists_are_shuffled_fewer_times_but_not_too_few(world, monkeypatch):
    monkeypatch.setattr(permutation, "_DENSE_NODES", 0)
    monkeypatch.setattr(permutation, "_LIST_WORK", 0)
    monkeypatch.setattr(cell_means, "_LIST_WORK", 0)
    for asked, expected in ((150, 150), (260, 200)):
        scalars = assess(*world, ["sex"], AT, replace(FAST, rounds=asked)).groupings["sex"].scalars
        assert scalars["fnmr_gap"].null_rounds == expected
    for asked, expected in ((80, 80), (130, 100)):
        options = ChallengeOptions(rounds=asked, min_comparisons=5)
        found = challenge_measure(*world, ["sex"], (), options)["challenge_genuine"].scalar
        assert found.null_rounds == expected


@pytest.mark.parametrize("held", [1, 500, 8_000_000])
@pytest.mark.parametrize("genuine", [True, False])
def test_the_challenges_interval_over_several_legitimate_cells(world, genuine, held, monkeypatch):
    """Subjects are drawn with replacement; the mean over cells of the largest difference, by loops."""
    monkeypatch.setattr(cell_means, "_VALUES", held)
    scores, plain = world
    glasses = np.random.default_rng(3).integers(0, 2, 72)
    comparisons = with_attribute(plain, glasses)
    options = ChallengeOptions(aggregation="range", weights="comparisons", rounds=20, min_comparisons=4, level=0.9,
                               seed=6)  # fmt: skip
    name = f"challenge_{'genuine' if genuine else 'impostor'}"
    found = challenge_measure(scores, comparisons, ["sex"], ["glasses"], options)[name]
    kind, others = comparisons.same == genuine, scores[comparisons.same != genuine]
    sign = 1 if genuine else -1
    right = np.array([np.mean((sign * others < sign * s) + 0.5 * (others == s)) for s in scores])
    worn = glasses[comparisons.a] + glasses[comparisons.b]
    of_a, of_b = comparisons.attributes[comparisons.a, 0], comparisons.attributes[comparisons.b, 0]
    rows = [[kind & (worn == cell) & (of_a == g) & (of_b == g) for g in (0, 1)] for cell in range(3)]
    counts = np.array([[row.sum() for row in of_cell] for of_cell in rows])
    assert counts.min() >= 4
    assert found.comparisons.tolist() == counts.tolist()
    assert found.legitimate == ("no/no", "no/yes", "yes/yes")

    def measure(weight):
        """A round without comparisons of one of a cell's groups leaves that cell out."""
        total, shares = 0.0, 0.0
        for of_cell, count in zip(rows, counts.sum(axis=1), strict=True):
            if all(weight[row].sum() > 0 for row in of_cell):
                areas = [(weight * right)[row].sum() / weight[row].sum() for row in of_cell]
                total, shares = total + count * abs(areas[0] - areas[1]), shares + count
        return total / shares

    drawn = [measure(d[comparisons.subject_a] * (1 if genuine else d[comparisons.subject_b]))
             for d in subject_draws(24, 20, 6)]  # fmt: skip
    low, high = np.quantile(drawn, [0.05, 0.95])
    value = measure(np.ones(len(scores)))
    assert found.scalar.value == pytest.approx(value, abs=1e-12)
    assert found.scalar.high == pytest.approx(max(high, value), rel=1e-9)
    assert found.scalar.low == pytest.approx(min(low if found.scalar.p_value <= 0.1 else 0.0, value), rel=1e-9)
    assert found.outside == (kind & (of_a != of_b)).sum()
    assert found.omitted == 0


def test_seeds_are_whole_numbers_of_63_bits():
    assert FairnessOptions(seed=(1 << 63) - 1).seed == 9223372036854775807
    with pytest.raises(ConfigError, match="seed is 9223372036854775808; it must be a whole number from 0"):
        FairnessOptions(seed=1 << 63)


def test_attributes_are_judged_each_and_together():
    assert groupings(["sex"]) == groupings(["sex", "sex"]) == [("sex",)]
    assert groupings(["sex", "skin", "sex"]) == [("sex",), ("skin",), ("sex", "skin")]


@pytest.mark.parametrize(("pairs", "expected"), [
    ([(0, 1), (0, 2)], 1), ([(0, 2), (1, 2)], 1), ([(0, 1), (2, 3)], 2), ([(0, 1), (1, 2), (2, 3)], 2), ([], 0),
])  # fmt: skip
def test_independent_comparisons_share_nobody(pairs, expected):
    nodes = Nodes(np.arange(4), np.zeros(4, np.int64), 4, 1)
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    ones = np.ones(len(pairs))
    assert independent_comparisons(PairCounts(nodes, first, second, ones, ones, False)) == expected


def test_a_ratio_with_a_rate_of_0_below_has_neither_value_nor_interval(world):
    """Resampled rates may have one all the same."""
    scores, comparisons = world
    perfect = np.where(comparisons.same & (comparisons.attributes[comparisons.a, 0] == 1), 0.9, scores)
    options = replace(FAST, rounds=60)
    found = assess(perfect, comparisons, ["sex"], AT, options).groupings["sex"].scalars["inequity_rate"]
    assert np.isnan([found.value, found.low, found.high, found.null_median, found.p_value]).all()
    assert "FNMR is 0 in 1 of 2 groups: division by 0" in found.reason
    assert found.to_dict()["unbounded"] is False


@pytest.mark.parametrize("held", [1, 30])
def test_few_weights_in_hand_change_nothing(world, held, monkeypatch):
    whole = assess(*world, ["sex"], AT, replace(FAST, rounds=20)).to_dict()
    monkeypatch.setattr(rounds, "_VALUES", held)
    assert assess(*world, ["sex"], AT, replace(FAST, rounds=20)).to_dict() == whole
