"""Rounds, shuffles and variances: how many there are, what they are of, and that nothing depends on memory."""

from dataclasses import replace

import numpy as np
import pytest

from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness import cell_means, permutation, rounds
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from fairface.scoring.fairness.counts import Nodes, PairCounts
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.spread import Spread, independent_comparisons, spread
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world, with_attribute

AT = given_threshold(0.35)
FAST = FairnessOptions(rounds=0, min_subjects=10)


@pytest.fixture(scope="module")
def world():
    return small_world(subjects=24, worse=0.2)


def test_a_subject_with_nearly_all_comparisons_still_has_a_spread():
    """The jackknife: half of the squares of what leaving each of the two out changes, 0.49 to 0.25 and to 0.5."""
    nodes = Nodes(np.array([0, 1]), np.array([0, 0]), 2, 1)
    ends, comparisons, errors = np.array([0, 1]), np.array([96.0, 4.0]), np.array([48.0, 1.0])
    found = spread(PairCounts(nodes, ends, ends, comparisons, errors, True), np.zeros(2, np.int64), 1)
    assert found.variance[0] == pytest.approx((0.24**2 + 0.01**2) / 2, rel=1e-12)
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


@pytest.mark.parametrize(("pairs", "expected"), [
    ([(0, 1), (0, 2)], 1), ([(0, 2), (1, 2)], 1), ([(0, 1), (2, 3)], 2), ([(0, 1), (1, 2), (2, 3)], 2), ([], 0),
])  # fmt: skip
def test_independent_comparisons_share_nobody(pairs, expected):
    nodes = Nodes(np.arange(4), np.zeros(4, np.int64), 4, 1)
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    ones = np.ones(len(pairs))
    assert independent_comparisons(PairCounts(nodes, first, second, ones, ones, False)) == expected


@pytest.mark.parametrize("held", [1, 30])
def test_few_weights_in_hand_change_nothing(world, held, monkeypatch):
    whole = assess(*world, ["sex"], AT, replace(FAST, rounds=20)).to_dict()
    monkeypatch.setattr(rounds, "_VALUES", held)
    assert assess(*world, ["sex"], AT, replace(FAST, rounds=20)).to_dict() == whole


def test_a_challenge_without_a_value_has_no_p_value_even_if_shuffled_groups_have_one(world):
    scores, comparisons = world
    of_m = comparisons.attributes[comparisons.a, 0] == 1
    gone = comparisons.same & of_m & (np.arange(len(scores)) % 3 > 0)  # one comparison for each of its subjects is left
    part = select(comparisons, ~gone)
    options = ChallengeOptions(rounds=40, min_comparisons=15)
    found = challenge_measure(scores[~gone], part, ["sex"], (), options)["challenge_genuine"].scalar
    assert found.null_rounds > 0
    assert np.isnan([found.value, found.p_value, found.low, found.high]).all()
    assert found.reason == "no legitimate cell has two groups with 15 genuine comparisons or more"


def test_rounds_that_are_stretched_stay_between_0_and_1():
    ones = np.ones(2)
    wide = Spread(np.array([0.9, 0.1]), 9 * ones, ones, np.array([3, 3]), 0.04 * ones, 3 * ones, True, 3 * ones)
    drawn = np.array([[0.8, 0.0], [0.9, 0.1], [1.0, 0.2]])
    found = rounds.match_variance(drawn, wide, np.arange(2))
    expected = np.clip([0.9, 0.1] + (drawn - [0.9, 0.1]) * 0.2 / np.sqrt(0.02 / 3), 0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found.min(), found.max()) == (0.0, 1.0)
