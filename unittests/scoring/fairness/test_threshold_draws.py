"""Thresholds set anew on resampled subjects, against comparisons written out as often as they are drawn."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fairface.errors import DataError
from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.difference import AS_GIVEN, BETTER, SET_ANEW, UNCLEAR
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rates_at import rates_at
from fairface.scoring.fairness.resettable_threshold import ResettableThreshold
from fairface.scoring.fairness.threshold import calibrated_threshold, given_threshold
from fairface.scoring.fairness.threshold_draws import DrawsOfSubjects, ThresholdData, threshold_draws
from unittests.scoring.fairness.helpers import small_world

FMR = 0.05
OPTIONS = FairnessOptions(rounds=60, min_subjects=10)
NOBODY = np.zeros(0, np.int64)


def two_models(subjects=40, seed=0):
    """Scores of two models with errors of their own."""
    scores, comparisons = small_world(subjects=subjects, seed=seed)
    noise = np.random.default_rng(seed + 1000).normal(0, 0.12, (2, len(scores)))
    return scores + noise[0], scores + noise[1], comparisons


def by_hand(scores, comparisons, weight, target):
    """The lowest score of all at which no more than ``target`` of the impostor comparisons, written out, match."""
    rows = np.flatnonzero(~comparisons.same)
    times = (weight[comparisons.subject_a[rows]] * weight[comparisons.subject_b[rows]]).astype(int)
    written_out = np.repeat(scores[rows], times)
    return next(s for s in sorted(scores) if (written_out >= s).sum() <= target * len(written_out) + 1e-9)


@pytest.mark.parametrize("target", [0.01, FMR, 0.5])
def test_a_round_sets_the_threshold_that_drawn_subjects_would_have_set(target):
    scores, _, comparisons = two_models()
    threshold = calibrated_threshold(scores, comparisons.same, target)
    model = ResettableThreshold(scores, comparisons, threshold, np.arange(40))
    drawn = np.array(list(subject_draws(40, 30, 5)), np.float64)
    values, fmr = model.reset(np.vstack([np.ones(40), drawn]))
    assert values[0] == threshold.value
    assert values[1:].tolist() == [by_hand(scores, comparisons, weight, target) for weight in drawn]
    impostor = ~comparisons.same
    times = drawn[:, comparisons.subject_a[impostor]] * drawn[:, comparisons.subject_b[impostor]]
    expected = times @ (scores[impostor] >= threshold.value) / times.sum(axis=1)
    np.testing.assert_allclose(fmr[1:], expected, rtol=1e-12)
    # As spread as the closed form says the FMR is, which needs no resampling.
    assert model.factor(fmr) == pytest.approx(math.sqrt(model.spread.variance[0] / np.var(fmr)), rel=1e-12)


def test_a_round_that_reaches_beyond_the_highest_scores_looks_at_all():
    """Ten subjects have the 545 highest impostor scores: without them the threshold lies far below these."""
    scores, _, comparisons = two_models(subjects=60)
    of_ten = ~comparisons.same & ((comparisons.subject_a < 10) | (comparisons.subject_b < 10))
    scores = np.where(of_ten, scores + 5, scores)
    threshold = calibrated_threshold(scores, comparisons.same, 0.04)
    weights = np.ones((2, 60))
    weights[0, :10], weights[1, :] = 0, [60, *[0] * 59]
    values, fmr = ResettableThreshold(scores, comparisons, threshold, np.arange(60)).reset(weights)
    assert values[0] == by_hand(scores, comparisons, weights[0], 0.04)
    assert fmr[0] == 0
    assert np.isnan(values[1])
    assert np.isnan(fmr[1])  # one subject alone has no impostor comparison


def test_rates_at_thresholds_are_counted():
    scores, _, comparisons = two_models()
    group = comparisons.attributes[:, 0]
    within = np.where(group[comparisons.a] == group[comparisons.b], group[comparisons.a], -1).astype(np.int64)
    thresholds = np.array([-9.0, scores[3], 0.35, np.nan, 9.0])
    found = rates_at(scores, comparisons.same, within, 3, thresholds)
    for name, kind in (("fnmr", True), ("fmr", False)):
        for g in range(2):
            rows = scores[(within == g) & (comparisons.same == kind)]
            expected = [((rows < t) if kind else (rows >= t)).mean() if t == t else np.nan for t in thresholds]
            np.testing.assert_allclose(found[name][:, g], expected, atol=1e-15)
        assert np.isnan(found[name][:, 2]).all()  # no such group


def test_other_people_add_the_variance_of_the_rates_at_their_thresholds():
    before, after, comparisons = two_models()
    p, q, others = two_models(seed=7)
    at = tuple(calibrated_threshold(of, others.same, FMR, "others") for of in (p, q))
    data = ThresholdData(others, p, q)
    change = compare((before, at[0]), (after, at[1]), comparisons, ["sex"], OPTIONS, data)["sex"]
    fixed = compare((before, at[0]), (after, at[1]), comparisons, ["sex"], OPTIONS)["sex"]
    draws = threshold_draws(data, at, OPTIONS, NOBODY)
    assert draws.values.shape == (60, 2)
    rows = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0)
    moved = [(after[rows] < t2).mean() - (before[rows] < t1).mean() for t1, t2 in draws.values]
    f, alone = change.fnmr["f"], fixed.fnmr["f"]
    assert (f.before, f.after, f.value) == (alone.before, alone.after, alone.value)
    wrong = (after[rows] < at[1].value).astype(float) - (before[rows] < at[0].value)
    of_subject = np.bincount(comparisons.subject_a[rows], wrong)[::2] / 3
    variance = of_subject.var(ddof=1) / len(of_subject)
    half = math.sqrt(variance + np.var(moved))
    assert (f.high - f.low) / 2 == pytest.approx(half * stats.t.ppf(0.975, 19), rel=0.15)  # df between the two
    assert (f.high - f.low) / 2 > half * stats.t.ppf(0.975, 60)
    assert change.threshold_rounds == change.to_dict()["threshold_rounds"] == 60
    assert SET_ANEW in change.notes
    assert AS_GIVEN not in change.notes


def test_thresholds_set_on_the_judged_people_are_drawn_with_them():
    """Somebody who raises FMR raises the threshold too, so the FMR of all together varies less than at a fixed one."""
    before, after, comparisons = two_models()
    everyone = replace(comparisons, attributes=np.zeros_like(comparisons.attributes), attribute_values=(("all",),))
    at = tuple(calibrated_threshold(of, comparisons.same, FMR) for of in (before, after))
    widths = {}
    for name, data in {
        "given": None, "joint": ThresholdData(everyone, before, after, judged=True),
        "apart": ThresholdData(everyone, before, after),
    }.items():  # fmt: skip
        found = compare((before, at[0]), (after, at[1]), everyone, ["sex"], replace(OPTIONS, rounds=300), data)["sex"]
        widths[name] = found.fmr["all"].high - found.fmr["all"].low
        assert found.fmr["all"].verdict == UNCLEAR
    assert widths["joint"] < widths["given"] < 0.8 * widths["apart"]


def test_draws_of_judged_people_are_those_of_their_rates():
    """Without f, whose subjects are drawn apart, m's draws are as if they were alone."""
    before, after, comparisons = two_models()
    m = comparisons.attributes[:, 0] == 1
    part = replace(comparisons, attributes=np.where(m, 1, -1).astype(np.int8)[:, None])
    grouped = Grouped(part, group_images(part, ["sex"]), before, before, np.ones(len(part), bool), OPTIONS)
    assert grouped.named_subjects().tolist() == list(range(1, 40, 2))
    at = tuple(calibrated_threshold(of, comparisons.same, FMR) for of in (before, after))
    data = ThresholdData(comparisons, before, after, judged=True)
    draws = threshold_draws(data, at, OPTIONS, grouped.named_subjects())
    weights = np.zeros((60, 40))
    weights[:, 1::2] = list(subject_draws(20, 60, 0))
    weights[:, ::2] = list(subject_draws(20, 60, (0, 1)))
    for place, scores in enumerate((before, after)):
        values, fmr = ResettableThreshold(scores, comparisons, at[place], np.arange(40)).reset(weights)
        spread = np.std(fmr) * (draws.values[:, place] - at[place].value)
        closed = ResettableThreshold(scores, comparisons, at[place], np.arange(40)).spread.variance[0]
        np.testing.assert_allclose(spread, math.sqrt(closed) * (values - at[place].value), atol=1e-12)


def test_without_an_fmr_people_or_rounds_thresholds_are_given():
    before, after, comparisons = two_models()
    at = tuple(calibrated_threshold(of, comparisons.same, FMR) for of in (before, after))
    data = ThresholdData(comparisons, before, after, judged=True)
    nameless = replace(comparisons, subject_a=np.full(len(before), -1), subject_b=np.full(len(before), -1))
    given = (given_threshold(0.35), at[1])
    assert DrawsOfSubjects(data, at, OPTIONS).of(NOBODY) is not None
    assert DrawsOfSubjects(data, given, OPTIONS).of(NOBODY) is None
    assert DrawsOfSubjects(replace(data, comparisons=nameless), at, OPTIONS).of(NOBODY) is None
    assert DrawsOfSubjects(data, at, replace(OPTIONS, rounds=0)).of(NOBODY) is None
    change = compare((before, at[0]), (after, at[1]), comparisons, ["sex"], OPTIONS,
                     replace(data, comparisons=nameless))["sex"]  # fmt: skip
    assert change.to_dict() == compare((before, at[0]), (after, at[1]), comparisons, ["sex"], OPTIONS)["sex"].to_dict()
    assert change.threshold_rounds == 0
    assert AS_GIVEN in change.notes
    unnamed = replace(nameless, subject_names=())
    no_intervals = compare((before, at[0]), (after, at[1]), unnamed, ["sex"], OPTIONS, data)["sex"]
    assert math.isnan(no_intervals.fnmr["f"].low)
    assert no_intervals.threshold_rounds == 0
    contradictory = replace(comparisons, subject_a=comparisons.subject_b)
    with pytest.raises(DataError, match="correct the subjects"):
        DrawsOfSubjects(replace(data, comparisons=contradictory), at, OPTIONS).of(NOBODY)


def equal_models(comparisons, rng, gain=0.0):
    """Scores of two models of one law on these pairs, the second one's genuine scores higher by ``gain``."""
    found = []
    for more in (0.0, gain):
        effect = rng.normal(0, 0.03, 1 + comparisons.subject_b.max())
        at = np.where(comparisons.same, 0.4 + more, 0.1) + effect[comparisons.subject_a] + effect[comparisons.subject_b]
        found.append(at + rng.normal(0, 0.12, len(comparisons)))
    return found


def verdicts(judged, gain, worlds):
    """How many of ``worlds`` have which verdict on the FNMR of m, with thresholds drawn, and with thresholds as given;
    5 to 8 impostor comparisons match at each."""
    rng, options = np.random.default_rng(3), FairnessOptions(rounds=60)
    comparisons, fixed_on = (small_world(subjects=subjects, images=5)[1] for subjects in (60, 40))
    counts = {"drawn": Counter(), "given": Counter()}
    for _ in range(worlds):
        before, after = equal_models(comparisons, rng, gain)
        p, q, others = before, after, comparisons
        if not judged:
            (p, q), others = equal_models(fixed_on, rng, gain), fixed_on
        at = [calibrated_threshold(of, others.same, 0.003 if judged else 0.01, "others") for of in (p, q)]
        for name, data in (("drawn", ThresholdData(others, p, q, judged)), ("given", None)):
            change = compare((before, at[0]), (after, at[1]), comparisons, ["sex"], options, data)
            counts[name][change["sex"].fnmr["m"].verdict] += 1
    return counts["drawn"], counts["given"]


@pytest.mark.parametrize("judged", [False, True])
def test_two_equal_models_seldom_get_a_verdict_and_a_better_one_does(judged):
    """Of 60 equal pairs of models 3 should get one; with thresholds taken as given far more do."""
    drawn, given = verdicts(judged, 0.0, 60)
    assert 60 - drawn[UNCLEAR] <= stats.binom.ppf(0.99, 60, 0.05)
    assert 60 - given[UNCLEAR] > stats.binom.ppf(0.99, 60, 0.05)
    better, _ = verdicts(judged, 0.25, 10)
    assert better[BETTER] >= 8
