"""Differences of measures: percentiles of paired rounds, and what their verdicts say."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness.compare import compare, compare_errors
from fairface.scoring.fairness.counts import count_pairs, node_ends
from fairface.scoring.fairness.difference import BETTER, UNCLEAR, WORSE
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.spread import spread
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
OPTIONS = FairnessOptions(rounds=80, min_subjects=10, level=0.8, seed=4)


@pytest.fixture(scope="module")
def world():
    scores, comparisons = small_world(subjects=24, worse=0.3, seed=2)
    shift = np.random.default_rng(1).normal(0.05, 0.1, len(scores))
    return scores, scores + shift, comparisons


def wrong_of(scores, comparisons):
    return ((scores >= 0.35) != comparisons.same).astype(float)


def rounds_of(comparisons, wrong, genuine):
    """(rounds, 2) resampled rates of both groups, stretched to the variance of the closed form, and the rates."""
    group = comparisons.attributes[:, 0].astype(np.int64)
    nodes, *ends = node_ends(comparisons, group, 2)
    counts = count_pairs(nodes, tuple(ends), wrong, comparisons.same == genuine, genuine)
    closed = spread(counts, counts.cell, 4)
    rate, variance = closed.rate[[0, 3]], closed.variance[[0, 3]]
    found = np.zeros((80, 2))
    for row, drawn in enumerate(subject_draws(24, 80, 4)):
        weight = drawn[comparisons.subject_a] * (1 if genuine else drawn[comparisons.subject_b])
        for g in (0, 1):
            rows = (comparisons.same == genuine) & (group[comparisons.a] == g) & (group[comparisons.b] == g)
            found[row, g] = (weight * wrong)[rows].sum() / weight[rows].sum()
    return np.clip(rate + (found - rate) * np.sqrt(variance / found.var(axis=0)), 0, 1), rate


@pytest.mark.parametrize("genuine", [True, False])
def test_the_interval_of_a_difference_of_gaps_is_of_paired_rounds(world, genuine):
    before, after, comparisons = world
    name = "fnmr_gap" if genuine else "fmr_gap"
    found = compare((before, AT), (after, AT), comparisons, ["sex"], OPTIONS)["sex"].scalars[name]
    (one, rate), (two, new) = (rounds_of(comparisons, wrong_of(s, comparisons), genuine) for s in (before, after))
    gaps = np.ptp(two, axis=1) - np.ptp(one, axis=1)
    value = np.ptp(new) - np.ptp(rate)
    low, high = np.quantile(gaps, [0.1, 0.9])
    assert found.before == pytest.approx(np.ptp(rate), abs=1e-12)
    assert found.after == pytest.approx(np.ptp(new), abs=1e-12)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.low == pytest.approx(min(low, value), abs=1e-9)
    assert found.high == pytest.approx(max(high, value), abs=1e-9)
    assert found.reason == ""


def test_verdicts_turn_round_with_the_models_and_with_the_direction_of_the_measure():
    """fdr is better when larger, a gap and a rate when smaller."""
    scores, comparisons = small_world(worse=0.5, seed=3)
    fair = scores + 0.5 * (comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0))
    options = FairnessOptions(rounds=60, min_subjects=20)
    there = compare((scores, AT), (fair, AT), comparisons, ["sex"], options)["sex"]
    back = compare((fair, AT), (scores, AT), comparisons, ["sex"], options)["sex"]
    for name in ("fnmr_gap", "fdr"):
        assert (there.scalars[name].verdict, back.scalars[name].verdict) == (BETTER, WORSE)
    assert there.scalars["fdr"].value > 0 > there.scalars["fnmr_gap"].value
    assert there.fnmr["f"].verdict == BETTER
    assert back.fnmr["f"].verdict == WORSE
    assert there.fnmr["m"].verdict == there.scalars["fmr_gap"].verdict == UNCLEAR
    assert there.fmr["f"].value == there.fmr["m"].value == 0.0


def test_what_cannot_be_told_has_its_reason(world):
    before, _, comparisons = world
    errors = wrong_of(before, comparisons)
    none = errors * ~comparisons.same  # no genuine error after
    change = compare_errors(errors, none, comparisons, ["sex"], OPTIONS)["sex"]
    ratio = change.scalars["fnmr_max_min"]
    assert math.isnan(ratio.after)
    assert ratio.reason == "a division by a rate of 0"
    assert ratio.verdict == UNCLEAR
    one = replace(comparisons, subject_a=np.full(len(comparisons), -1), subject_b=np.full(len(comparisons), -1))
    nameless = compare_errors(errors, none, one, ["sex"], OPTIONS)["sex"]
    assert nameless.fnmr["f"].reason == "too few subjects, or they are not named"
    assert math.isnan(nameless.fnmr["f"].low)
    assert nameless.fnmr["f"].value == pytest.approx(change.fnmr["f"].value, abs=1e-15)
    assert nameless.scalars["fnmr_gap"].reason == "0 of 2 groups have 10 subjects or more"


def test_comparisons_that_do_not_count_are_left_out(world):
    before, after, comparisons = world
    counted = np.arange(len(comparisons)) % 3 > 0
    errors = [wrong_of(scores, comparisons) for scores in (before, after)]
    some = compare_errors(errors[0], errors[1], comparisons, ["sex"], OPTIONS, counted)["sex"].fnmr["m"]
    rows = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 1) & counted
    assert some.before == pytest.approx(errors[0][rows].mean(), abs=1e-15)
    assert some.after == pytest.approx(errors[1][rows].mean(), abs=1e-15)
    assert some.value == pytest.approx(some.after - some.before, abs=1e-15)
    gone = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 1)
    empty = compare_errors(errors[0], errors[1], comparisons, ["sex"], OPTIONS, ~gone)["sex"].fnmr["m"]
    assert empty.reason == "no comparisons"
    assert math.isnan(empty.before)
