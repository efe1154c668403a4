"""Values at the bounds of what counts: smallest groups, no rounds, one round, options at their ends."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fairface.errors import ConfigError, DataError
from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness import grouped, permutation
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure, placement
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.counts import count_pairs, node_ends
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.fairness.interval import difference_interval, gap_interval, ratio_interval
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.spread import spread
from fairface.scoring.fairness.threshold import check_reach, given_threshold
from unittests.scoring.fairness.helpers import small_world, with_attribute

AT = given_threshold(0.35)
FAST = FairnessOptions(rounds=40, min_subjects=20)


@pytest.fixture(scope="module")
def world():
    return small_world(worse=0.15)


def test_people_are_named_or_said_to_be_missing(world):
    scores, comparisons = world
    unknown = np.full(len(comparisons), -1)
    nameless = replace(comparisons, subject_a=unknown, subject_b=unknown)
    said = "the comparisons name no subjects"
    assert not any(said in note for note in assess(scores, comparisons, ["sex"], AT, FAST).notes)
    assert any(said in note for note in assess(scores, nameless, ["sex"], AT, FAST).notes)


def test_the_note_counts_all_comparisons_that_are_left_out(world):
    scores, comparisons = world
    codes = comparisons.attributes.copy()
    codes[:12] = -1  # four subjects
    result = assess(scores, replace(comparisons, attributes=codes), ["sex"], AT, FAST).groupings["sex"]
    gone = int((codes[comparisons.a, 0] < 0).sum() + (codes[comparisons.b, 0] < 0).sum())
    both = int(((codes[comparisons.a, 0] < 0) & (codes[comparisons.b, 0] < 0)).sum())
    said = f"{gone - both} of 1950 comparisons are left out, as 12 of 180 images have no known sex"
    assert f"{said} ({comparisons.names[0]} first)" in result.notes
    nameless = replace(comparisons, attributes=codes, names=())
    assert said in assess(scores, nameless, ["sex"], AT, FAST).groupings["sex"].notes


@pytest.mark.parametrize(("least", "counted"), [(30, ("f", "m")), (31, ())])
def test_a_group_of_exactly_min_subjects_counts(world, least, counted):
    scalars = assess(*world, ["sex"], AT, replace(FAST, min_subjects=least)).groupings["sex"].scalars
    assert scalars["garbe"].groups == counted
    assert math.isnan(scalars["garbe"].value) == (not counted)


def test_one_round_is_a_round(world):
    scalar = assess(*world, ["sex"], AT, replace(FAST, rounds=1)).groupings["sex"].scalars["garbe"]
    assert scalar.null_rounds == 1
    assert scalar.null_median == scalar.null_extreme
    assert scalar.p_value in (0.5, 1.0)


def test_without_rounds_there_is_no_null(world):
    scalars = assess(*world, ["sex"], AT, replace(FAST, rounds=0)).groupings["sex"].scalars
    for scalar in scalars.values():
        assert scalar.null_rounds == 0
        assert np.isnan([scalar.null_median, scalar.null_extreme, scalar.p_value]).all()


def test_intervals_reach_equality_only_where_groups_cannot_be_told_apart():
    options = FairnessOptions(rounds=60, min_subjects=20)
    apart = assess(*small_world(worse=0.4), ["sex"], AT, options).groupings["sex"].scalars
    assert apart["fnmr_gap"].low > 0
    assert apart["garbe"].low > 0
    assert apart["fdr"].high < 1
    alike = assess(*small_world(seed=3), ["sex"], AT, options).groupings["sex"].scalars
    assert alike["fnmr_gap"].low == alike["fmr_gap"].low == 0
    assert alike["garbe"].low == 0
    assert alike["fdr"].high == 1


def spread_of(scores, comparisons, genuine):
    """Rates, variances and subjects' sums of both groups; a cell within group g is g * 3."""
    wrong = ((scores >= AT.value) != comparisons.same).astype(float)
    nodes, *ends = node_ends(comparisons, comparisons.attributes[:, 0].astype(np.int64), 2)
    counts = count_pairs(nodes, tuple(ends), wrong, comparisons.same == genuine, genuine)
    found = spread(counts, counts.cell, 4)
    return found.rate[[0, 3]], found.variance[[0, 3]], wrong


def drawn_rates(comparisons, wrong, genuine, rounds):
    """(rounds, 2): rates of both groups, subjects drawn with replacement, each comparison weighted by its subjects."""
    group, subjects = comparisons.attributes[:, 0], np.unique(comparisons.subject_a)
    result = np.zeros((rounds, 2))
    for row, drawn in enumerate(subject_draws(len(subjects), rounds, 0)):
        weight = drawn[comparisons.subject_a] * (1 if genuine else drawn[comparisons.subject_b])
        for g in (0, 1):
            rows = (comparisons.same == genuine) & (group[comparisons.a] == g) & (group[comparisons.b] == g)
            result[row, g] = (weight * wrong)[rows].sum() / weight[rows].sum()
    return result


def test_intervals_of_scalars_are_percentiles_of_rounds_with_the_variance_over_subjects():
    """FDR, worked out from rounds that are stretched to the variance of the closed form."""
    scores, comparisons = small_world(worse=0.25, seed=2)
    options = FairnessOptions(rounds=120, min_subjects=20, level=0.8, alpha=0.3)
    found = assess(scores, comparisons, ["sex"], AT, options).groupings["sex"].scalars["fdr"]
    gaps = {}
    for genuine in (False, True):
        rate, variance, wrong = spread_of(scores, comparisons, genuine)
        rounds = drawn_rates(comparisons, wrong, genuine, 120)
        rounds = np.clip(rate + (rounds - rate) * np.sqrt(variance / rounds.var(axis=0)), 0, 1)
        gaps[genuine] = rounds.max(axis=1) - rounds.min(axis=1)
    low, high = np.quantile(1 - (0.3 * gaps[False] + 0.7 * gaps[True]), [0.1, 0.9])
    assert found.high == pytest.approx(max(high, found.value), rel=1e-9)
    assert found.low == pytest.approx(min(low, found.value), rel=1e-9)
    assert found.high < 1


def test_planning_by_hand(world):
    """Subjects needed for the difference that is there: variance of this group's rate shrinks with its subjects."""
    scores, comparisons = world
    rate, variance, _ = spread_of(scores, comparisons, True)
    f = assess(scores, comparisons, ["sex"], AT, FAST).groupings["sex"].row("f").fnmr_plan
    wanted = abs(rate[0] - rate[1])
    step = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert f.others == pytest.approx(rate[1], abs=1e-15)
    assert f.target == pytest.approx(wanted, abs=1e-15)
    assert f.subjects_needed == math.ceil(30 * variance[0] / ((wanted / step) ** 2 - variance[1]))
    assert f.detectable == pytest.approx(step * math.sqrt(variance[0] + variance[1]), rel=1e-12)
    assert f.times_all == pytest.approx((f.detectable / wanted) ** 2, rel=1e-12)


def test_an_image_without_a_group_has_minus_one(world):
    _, comparisons = world
    codes = comparisons.attributes.copy()
    codes[4] = -1
    groups = group_images(replace(comparisons, attributes=codes), ["sex"])
    assert groups.of_image[4] == -1
    np.testing.assert_array_equal(np.delete(groups.of_image, 4), np.delete(comparisons.attributes[:, 0], 4))


@pytest.mark.parametrize("level", [0.5, 0.6, 0.999])
def test_levels_from_one_half(level):
    assert FairnessOptions(level=level).level == level
    with pytest.raises(ConfigError, match=r"level is 0\.49"):
        FairnessOptions(level=0.49)
    assert FairnessOptions(power=0.5, min_subjects=2, alpha=0.0, rounds=0).power == 0.5


def test_ratio_interval_by_a_loop_over_ordered_pairs_of_groups():
    rates, low, high = np.array([0.1, 0.12, 0.3]), np.array([0.06, 0.08, 0.2]), np.array([0.15, 0.2, 0.42])
    below, above = [], []
    for i in range(3):
        for j in range(3):
            if i != j:
                middle = math.log(rates[i] / rates[j])
                below.append(middle - math.hypot(math.log(rates[i] / low[i]), math.log(high[j] / rates[j])))
                above.append(middle + math.hypot(math.log(high[i] / rates[i]), math.log(rates[j] / low[j])))
    expected = (max(1.0, math.exp(max(below))), math.exp(max(above)))
    assert ratio_interval(rates, low, high) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("highest_low", "expected"), [(0.05, 1.0), (0.12, 1.2)])
def test_ratio_over_a_rate_of_zero(highest_low, expected):
    found = ratio_interval(np.array([0.0, 0.3]), np.array([0.0, highest_low]), np.array([0.1, 0.4]))
    assert found == (pytest.approx(expected), math.inf)


@pytest.mark.parametrize("limit", [4000, 0])
@pytest.mark.parametrize("genuine", [True, False])
def test_people_of_groups_that_do_not_count_are_not_shuffled(genuine, limit, monkeypatch):
    """Three groups, the middle one left out: labels move among the nodes of the two others only."""
    monkeypatch.setattr(permutation, "_DENSE_NODES", limit)
    scores, comparisons = small_world(subjects=21, seed=6, values=("a", "b", "c"))
    wrong = ((scores >= AT.value) != comparisons.same).astype(float)
    nodes, *ends = node_ends(comparisons, comparisons.attributes[:, 0].astype(np.int64), 3)
    counts = count_pairs(nodes, tuple(ends), wrong, comparisons.same == genuine, genuine)
    found = permutation.shuffled_rates(counts, np.array([0, 2]), 5, 7)
    used = np.flatnonzero(nodes.group != 1)
    rng = np.random.default_rng(7)

    def within(labels):
        sums = np.zeros((2, 2))
        for first, second, number, errors in zip(
            counts.first, counts.second, counts.comparisons, counts.errors, strict=True
        ):
            if labels[first] == labels[second] >= 0:
                sums[:, labels[first]] += [errors, number]
        return sums

    own = np.where(nodes.group == 0, 0, np.where(nodes.group == 2, 1, -1))
    real = within(own)
    for rates in found.rates:
        labels = np.full(len(own), -1)
        labels[used] = rng.permutation(own[used])
        errors, number = within(labels)
        scale = real[0].sum() / real[1].sum() / (errors.sum() / number.sum())
        np.testing.assert_allclose(rates, np.clip(errors / number * scale, 0, 1), rtol=1e-6)


def test_differences_without_rounds_have_no_interval(world):
    scores, comparisons = world
    change = compare((scores, AT), (scores + 0.05, AT), comparisons, ["sex"], replace(FAST, rounds=0))["sex"]
    for found in change.scalars.values():
        assert np.isfinite([found.before, found.after, found.value]).all()
        assert math.isnan(found.low)
        assert math.isnan(found.high)
    assert change.fmr["f"].low < change.fmr["f"].high


def test_differences_are_of_groups_with_enough_subjects_of_both_kinds(world):
    """Group m keeps its impostors, but genuine comparisons of five subjects only."""
    scores, comparisons = world
    kept = ~(comparisons.same & (comparisons.subject_a % 2 == 1) & (comparisons.subject_a >= 10))
    part = replace(comparisons, **{
        name: getattr(comparisons, name)[kept] for name in ("a", "b", "same", "fold", "subject_a", "subject_b")
    })  # fmt: skip
    change = compare((scores[kept], AT), (scores[kept] + 0.05, AT), part, ["sex"], FAST)["sex"].scalars
    assert np.isfinite(change["fmr_gap"].value)
    for name in ("fnmr_gap", "garbe", "fdr"):
        assert math.isnan(change[name].value)
        assert change[name].reason == "1 of 2 groups has 20 subjects or more"


def test_the_challenge_without_rounds_has_areas_and_no_interval(world):
    scores, comparisons = world
    for side in challenge_measure(scores, comparisons, ["sex"], (), ChallengeOptions(rounds=0)).values():
        assert np.isfinite(side.areas).all()
        assert np.isfinite(side.scalar.value)
        assert math.isnan(side.scalar.low)
        assert side.scalar.null_rounds == 0


@pytest.mark.parametrize("genuine", [True, False])
def test_the_challenges_interval_is_of_subjects_drawn_with_replacement(genuine):
    scores, comparisons = small_world(subjects=24, worse=0.3, seed=1)
    options = ChallengeOptions(aggregation="range", rounds=40, min_comparisons=5, level=0.9)
    name = f"challenge_{'genuine' if genuine else 'impostor'}"
    found = challenge_measure(scores, comparisons, ["sex"], (), options)[name].scalar
    kind, others = comparisons.same == genuine, scores[comparisons.same != genuine]
    sign = 1 if genuine else -1
    right = np.array([np.mean((sign * others < sign * s) + 0.5 * (others == s)) for s in scores])
    group = comparisons.attributes[:, 0]
    ranges = []
    for drawn in subject_draws(24, 40, 0):
        weight = drawn[comparisons.subject_a] * (1 if genuine else drawn[comparisons.subject_b])
        areas = []
        for g in (0, 1):
            rows = kind & (group[comparisons.a] == g) & (group[comparisons.b] == g)
            areas.append((weight * right)[rows].sum() / weight[rows].sum())
        ranges.append(abs(areas[0] - areas[1]))
    low, high = np.quantile(ranges, [0.05, 0.95])
    assert found.high == pytest.approx(max(high, found.value), rel=1e-9)
    lowest = low if found.p_value <= 0.1 else 0.0
    assert found.low == pytest.approx(min(lowest, found.value), rel=1e-9)


def test_the_challenge_with_one_group_and_nobody_named():
    scores, comparisons = small_world(subjects=12, values=("all",))
    glasses = np.random.default_rng(0).integers(0, 2, 36)
    unknown = np.full(len(comparisons), -1)
    nameless = replace(with_attribute(comparisons, glasses), subject_a=unknown, subject_b=unknown)
    options = ChallengeOptions(rounds=5, min_comparisons=1)
    side = challenge_measure(scores, nameless, ["sex"], ["glasses"], options)["challenge_impostor"]
    worn = glasses[comparisons.a] + glasses[comparisons.b]
    for row in range(3):
        assert side.comparisons[row].tolist() == [int((~comparisons.same & (worn == row)).sum())]
    assert math.isnan(side.scalar.value)


def test_placement_among_few_or_no_scores():
    scores = np.array([0.0, 0.5, 1.0])
    np.testing.assert_array_equal(placement(scores, np.zeros(0)), [0, 0, 0])
    np.testing.assert_array_equal(placement(scores, np.array([0.5])), [0, 0.5, 1])
    np.testing.assert_array_equal(placement(scores, np.array([0.5, 0.5, 0.7, 2.0])), [0, 0.25, 0.75])


def test_a_threshold_lies_above_the_lowest_score_and_not_above_the_highest():
    scores = np.array([0.1, 0.4, 0.9])
    check_reach(given_threshold(0.9), scores)
    check_reach(given_threshold(0.1000001), scores)
    check_reach(given_threshold(0.5), scores[:0])  # nothing to separate
    with pytest.raises(DataError, match=r"threshold 0\.1 .given. is not above any score"):
        check_reach(given_threshold(0.1), scores)
    with pytest.raises(DataError, match=r"threshold 0\.91 .given. is above every score"):
        check_reach(given_threshold(0.91), scores)


def test_a_difference_of_lopsided_intervals_by_hand():
    """Newcombe's method 10: below, the lower half of a and the upper half of b; above, the other two halves."""
    low, high = difference_interval(0.5, (0.46, 0.6), 0.2, (0.08, 0.23))
    assert low == pytest.approx(0.3 - math.hypot(0.04, 0.03), rel=1e-12)
    assert high == pytest.approx(0.3 + math.hypot(0.1, 0.12), rel=1e-12)


def test_a_gap_stays_between_0_and_1():
    rates = np.array([0.02, 0.97])
    low, high = gap_interval(rates, np.array([0.0, 0.5]), np.array([0.3, 1.0]))
    assert low == pytest.approx(0.95 - math.hypot(0.47, 0.28), rel=1e-12)
    assert high == pytest.approx(0.95 + math.hypot(0.03, 0.02), rel=1e-12)
    low, high = gap_interval(rates, np.array([0.0, 0.02]), np.array([0.9, 1.0]))
    assert low == 0.0
    wide = gap_interval(rates, np.array([-0.5, 0.5]), np.array([0.3, 1.0]))
    assert wide[1] == 1.0


def test_one_group_alone_has_no_null(world):
    scores, comparisons = world
    glasses = np.where(np.arange(180) // 3 < 50, 0, 1)  # ten subjects wear them
    result = assess(scores, with_attribute(comparisons, glasses), ["sex", "glasses"], AT, FAST)
    assert np.isnan(list(result.groupings["glasses"].null_kept.values())).all()
    assert np.isfinite(list(result.groupings["sex"].null_kept.values())).all()
    none = assess(scores, comparisons, ["sex"], AT, replace(FAST, rounds=0)).groupings["sex"]
    assert np.isnan(list(none.null_kept.values())).all()


def test_the_interval_of_failures_to_detect_is_over_subjects(world):
    """Images of a subject fail together: Wilson's interval with as many images as would vary like the subjects do."""
    scores, comparisons = world
    failed = np.zeros(180, bool)
    for subject, images in ((0, 3), (4, 1), (10, 2), (20, 3), (22, 1)):
        failed[3 * subject : 3 * subject + images] = True
    found = assess(scores, comparisons, ["sex"], AT, FAST, failed).groupings["sex"].row("f").failures
    share = failed.reshape(60, 3).mean(axis=1)[::2]
    rate, variance = share.mean(), share.var(ddof=1) / 30
    kurtosis = stats.kurtosis(share, fisher=False)
    freedom = np.clip(2 * 30 / (kurtosis - 1 + 2 / 29), 3, 29)
    n, t = min(rate * (1 - rate) / variance, 90), stats.t.ppf(0.975, freedom)
    centre, half = (rate + t**2 / (2 * n)) / (1 + t**2 / n), t * math.sqrt(rate * (1 - rate) / n + t**2 / (4 * n**2))
    assert (found.errors, found.comparisons, found.subjects) == (10, 90, 30)
    assert found.value == pytest.approx(rate, abs=1e-15)
    assert found.low == pytest.approx(max(0, centre - half / (1 + t**2 / n)), rel=1e-9)
    assert found.high == pytest.approx(centre + half / (1 + t**2 / n), rel=1e-9)


def test_a_null_that_keeps_just_enough_is_not_remarked_upon(world, monkeypatch):
    scores, comparisons = world
    kept = assess(scores, comparisons, ["sex"], AT, FAST).groupings["sex"].null_kept["fmr"]
    for limit, remarks in ((kept, 0), (np.nextafter(kept, 2), 1)):
        monkeypatch.setattr(grouped, "_KEPT_ENOUGH", limit)
        notes = assess(scores, comparisons, ["sex"], AT, FAST).groupings["sex"].notes
        said = f"permuted labels keep {kept:.0%} of the FMR's comparisons within groups"
        assert sum(note.startswith(said) for note in notes) == remarks
