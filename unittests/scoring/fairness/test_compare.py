"""Two models on the same comparisons."""

from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.fairness.compare import compare, compare_errors
from fairface.scoring.fairness.difference import BETTER, UNCLEAR, WORSE
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
OPTIONS = FairnessOptions(rounds=80, min_subjects=20)


@pytest.fixture(scope="module")
def world():
    scores, comparisons = small_world(worse=0.2)
    of_f = comparisons.attributes[comparisons.a, 0] == 0
    return scores, np.where(of_f & comparisons.same, scores + 0.2, scores), comparisons


def test_a_better_model_is_better_where_it_is_and_unclear_where_nothing_changed(world):
    before, after, comparisons = world
    change = compare((before, AT), (after, AT), comparisons, ["sex"], OPTIONS)["sex"]
    f, m = change.fnmr["f"], change.fnmr["m"]
    assert f.value == pytest.approx(f.after - f.before, abs=1e-15)
    assert f.low < f.value < f.high < 0
    assert f.verdict == BETTER
    assert (m.value, m.verdict) == (0.0, UNCLEAR)
    assert change.scalars["fnmr_gap"].verdict == BETTER
    assert change.scalars["fdr"].verdict == BETTER  # larger is better there
    assert change.scalars["fmr_gap"].verdict == UNCLEAR
    back = compare((after, AT), (before, AT), comparisons, ["sex"], OPTIONS)["sex"]
    assert back.fnmr["f"].verdict == WORSE
    assert back.fnmr["f"].value == pytest.approx(-f.value, abs=1e-15)
    assert (back.fnmr["f"].low, back.fnmr["f"].high) == pytest.approx((-f.high, -f.low), abs=1e-15)


def test_the_interval_of_a_difference_is_the_paired_one(world):
    """One difference for each subject: the t interval of their mean."""
    from scipy import stats

    before, after, comparisons = world
    change = compare((before, AT), (after, AT), comparisons, ["sex"], OPTIONS)["sex"].fnmr["f"]
    rows = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0)
    wrong = (after[rows] < 0.35).astype(float) - (before[rows] < 0.35)
    of_subject = np.bincount(comparisons.subject_a[rows], wrong)[::2] / 3
    assert change.value == pytest.approx(of_subject.mean(), abs=1e-12)
    half = (change.high - change.low) / 2
    deviation = of_subject.std(ddof=1) / np.sqrt(30)
    assert half > stats.t.ppf(0.975, 29) * deviation - 1e-12  # heavy tails may widen it
    assert half < stats.t.ppf(0.975, 3) * deviation


def test_every_model_has_its_own_threshold(world):
    before, after, comparisons = world
    scaled = compare((before, AT), (after * 10, given_threshold(3.5)), comparisons, ["sex"], OPTIONS)["sex"]
    assert scaled.to_dict() == compare((before, AT), (after, AT), comparisons, ["sex"], OPTIONS)["sex"].to_dict()


def test_only_comparisons_that_both_models_scored_count(world):
    before, after, comparisons = world
    holes = after.copy()
    holes[:30] = np.nan
    change = compare((before, AT), (holes, AT), comparisons, ["sex"], replace(OPTIONS, unscored="leave_out"))["sex"]
    rows = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0) & np.isfinite(holes)
    assert change.fnmr["f"].before == pytest.approx((before[rows] < 0.35).mean(), abs=1e-15)
    with pytest.raises(DataError, match="30 of 1950 scores are not finite"):
        compare((before, AT), (holes, AT), comparisons, ["sex"], OPTIONS)


def test_too_few_people_have_no_difference_of_measures(world):
    before, after, comparisons = world
    options = replace(OPTIONS, min_subjects=40)
    change = compare((before, AT), (after, AT), comparisons, ["sex"], options)["sex"]
    assert np.isnan(change.scalars["garbe"].value)
    assert change.scalars["garbe"].reason == "0 of 2 groups have 40 subjects or more"
    f = change.fnmr["f"]
    assert f.low < f.value < f.high < 0
    assert (f.verdict, f.reason) == (UNCLEAR, "30 subjects; a verdict needs 40")


def errors_of(scores, comparisons):
    return ((scores >= 0.35) != comparisons.same).astype(float)


def test_errors_say_what_scores_say(world):
    before, after, comparisons = world
    errors = [errors_of(scores, comparisons) for scores in (before, after)]
    of_errors = compare_errors(errors[0], errors[1], comparisons, ["sex"], OPTIONS)["sex"]
    assert of_errors.to_dict() == compare((before, AT), (after, AT), comparisons, ["sex"], OPTIONS)["sex"].to_dict()


def test_shares_of_errors_are_the_mean_of_several_trainings(world):
    """Rates of averaged errors are averaged rates, and their intervals are no wider than those of a single training."""
    first, after, comparisons = world
    rng = np.random.default_rng(5)
    trained = [errors_of(first + rng.normal(0, 0.05, len(first)), comparisons) for _ in range(3)]
    new = errors_of(after, comparisons)
    alone = [compare_errors(one, new, comparisons, ["sex"], OPTIONS)["sex"] for one in trained]
    mean = compare_errors(np.mean(trained, axis=0), new, comparisons, ["sex"], OPTIONS)["sex"]
    for group in ("f", "m"):
        assert mean.fnmr[group].value == pytest.approx(np.mean([one.fnmr[group].value for one in alone]), abs=1e-12)
        widths = [one.fnmr[group].high - one.fnmr[group].low for one in alone]
        assert mean.fnmr[group].high - mean.fnmr[group].low <= max(widths) + 1e-12


@pytest.mark.parametrize("seed", [0, 3, 11])  # without care, each of these has an interval beside its value
def test_an_interval_always_holds_its_value(seed):
    """With very few subjects the rounds of a maximum can lie all on one side of it."""
    _, comparisons = small_world(worse=0.0)
    few = np.isin(comparisons.subject_a, range(4)) & np.isin(comparisons.subject_b, range(4))
    part = select(comparisons, few)
    rng = np.random.default_rng(seed)
    errors = [np.where(rng.random(len(part)) < rate, 1.0, 0.0) for rate in (0.5, 1.0)]
    change = compare_errors(errors[0], errors[1], part, ["sex"], replace(OPTIONS, min_subjects=2))["sex"]
    for name, found in change.scalars.items():
        if not np.isnan(found.value) and not np.isnan(found.low):
            assert found.low <= found.value <= found.high, name
            assert found.verdict == UNCLEAR or found.value != 0.0
