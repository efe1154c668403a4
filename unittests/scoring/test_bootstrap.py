"""The weighted rounds against rounds that write the resampled comparisons out one by one."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.bootstrap import bootstrap_intervals, share_interval, subject_draws
from unittests.scoring.wilson import wilson_ends

PEOPLE, IMAGES, ROUNDS, SEED = 9, 4, 60, 3
TARGETS = (0.05, 0.2)


@pytest.fixture(scope="module")
def scored():
    comparisons = all_pairs(np.repeat(np.arange(PEOPLE) + 100, IMAGES))
    rng = np.random.default_rng(0)
    return np.round(rng.normal(comparisons.same * 0.8, 0.5), 1), comparisons


def written_out(scores, comparisons, drawn):
    """The comparisons of one round: copies of subjects are subjects; two copies of one subject are not compared."""
    subjects = np.unique(comparisons.subject_a)
    copies = [subject for subject, times in zip(subjects, drawn, strict=True) for _ in range(times)]
    subject_a, subject_b = comparisons.subject_a, comparisons.subject_b
    genuine = [scores[(subject_a == p) & (subject_b == p)] for p in copies]
    impostor = [
        scores[((subject_a == p) & (subject_b == q)) | ((subject_a == q) & (subject_b == p))]
        for p, q in itertools.combinations(copies, 2)
        if p != q
    ]
    return np.concatenate(genuine), np.concatenate(impostor)


def best_tar(genuine, impostor, target):
    thresholds = [*np.unique(impostor) + 1e-9, -np.inf]
    return max((genuine >= t).mean() for t in thresholds if (impostor >= t).mean() <= target)


def test_intervals_equal_rounds_that_are_written_out(scored):
    scores, comparisons = scored
    areas, tars = [], []
    for drawn in subject_draws(PEOPLE, ROUNDS, SEED):
        genuine, impostor = written_out(scores, comparisons, drawn)
        truth = np.repeat([1, 0], [len(genuine), len(impostor)])
        areas.append(roc_auc_score(truth, np.concatenate([genuine, impostor])))
        tars.append([best_tar(genuine, impostor, target) for target in TARGETS])
    of_auc, of_tar = bootstrap_intervals(scores, comparisons, TARGETS, ROUNDS, 0.9, SEED)
    assert (of_auc.rounds, of_auc.level) == (ROUNDS, 0.9)
    genuine, impostor = scores[comparisons.same], scores[~comparisons.same]
    area = roc_auc_score(comparisons.same, scores)
    assert (of_auc.low, of_auc.high) == pytest.approx(wilson_ends(area, areas, 0.9, PEOPLE), abs=1e-12)
    for interval, column, target in zip(of_tar, np.transpose(tars), TARGETS, strict=True):
        ends = wilson_ends(best_tar(genuine, impostor, target), column, 0.9, PEOPLE)
        assert (interval.low, interval.high) == pytest.approx(ends, abs=1e-12)


@pytest.mark.parametrize(("people", "images", "rate"), [(30, 3, 0.98), (100, 2, 0.995), (40, 2, 0.9), (30, 3, 0.02)])
def test_the_interval_of_a_share_near_its_end_holds_the_truth(people, images, rate):
    """Percentiles of the same draws hold it in 62 to 90 %: without an error they end where they begin."""
    rng, trials = np.random.default_rng(0), 400
    inside = 0
    for _ in range(trials):
        # The images of a person come out alike half of the time, as with an effect of the person.
        alike = np.where(rng.random(people) < 0.5, rng.random(people) < rate, -1)[:, None]
        each = np.where(alike >= 0, alike, rng.random((people, images)) < rate).mean(axis=1)
        rounds = np.array([each[rng.integers(0, people, people)].mean() for _ in range(100)])
        found = share_interval(each.mean(), rounds, 0.95, people)
        inside += found.low <= rate <= found.high
    assert inside / trials > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)


def test_without_an_error_the_interval_is_the_exact_one_of_its_subjects():
    exact = stats.binomtest(20, 20).proportion_ci(0.9, "exact")
    found = share_interval(1.0, np.ones(50), 0.9, 20)
    assert (found.low, found.high, found.rounds) == (pytest.approx(exact.low), 1.0, 50)
    none = share_interval(0.0, np.zeros(50), 0.9, 20)
    assert (none.low, none.high) == (0.0, pytest.approx(1 - exact.low))
    wider = share_interval(1.0, np.linspace(0.5, 1.0, 50), 0.9, 20)  # in some rounds another threshold gives errors
    assert (wider.low, wider.high) == (pytest.approx(0.525), 1.0)
    assert share_interval(0.25, np.full(50, 0.25), 0.9, 20).without_width
    assert np.isnan(share_interval(0.25, np.zeros(0), 0.9, 20).low)


def test_same_seed_same_interval(scored):
    assert bootstrap_intervals(*scored, TARGETS, 20) == bootstrap_intervals(*scored, TARGETS, 20)
    assert bootstrap_intervals(*scored, TARGETS, 20) != bootstrap_intervals(*scored, TARGETS, 20, seed=1)


def test_people_give_wider_intervals_than_their_comparisons_would():
    """With strong effects of subject, resampling comparisons would be far too sure of itself."""
    rng = np.random.default_rng(0)
    comparisons = all_pairs(np.repeat(np.arange(30), 8))
    effect = rng.normal(0, 1, 30)
    scores = comparisons.same * 1.5 + effect[comparisons.subject_a] + effect[comparisons.subject_b]
    scores = scores + rng.normal(0, 0.3, len(scores))
    interval, _ = bootstrap_intervals(scores, comparisons, (), 200)
    genuine, impostor = scores[comparisons.same], scores[~comparisons.same]
    areas = []
    for _ in range(200):
        drawn = rng.choice(genuine, len(genuine)), rng.choice(impostor, len(impostor))
        truth = np.repeat([1, 0], [len(genuine), len(impostor)])
        areas.append(roc_auc_score(truth, np.concatenate(drawn)))
    naive = np.quantile(areas, 0.975) - np.quantile(areas, 0.025)
    assert interval.high - interval.low > 3 * naive


def test_rounds_without_a_kind_are_left_out():
    comparisons = all_pairs([0, 0, 1, 1])
    interval, _ = bootstrap_intervals(np.arange(6.0), comparisons, (0.5,), 200)
    drawn_both = sum(bool((drawn > 0).all()) for drawn in subject_draws(2, 200, 0))
    assert interval.rounds == drawn_both < 200


def replace_subjects(comparisons, a, b):
    return Comparisons(comparisons.a, comparisons.b, comparisons.same, comparisons.fold, a, b)


def test_unknown_or_contradicting_subjects_are_errors(scored):
    scores, comparisons = scored
    unknown = np.full(len(scores), -1)
    with pytest.raises(DataError, match="the comparisons name no subjects"):
        bootstrap_intervals(scores, replace_subjects(comparisons, unknown, unknown))
    with pytest.raises(DataError, match="genuine between two subjects"):
        bootstrap_intervals(scores, replace_subjects(comparisons, comparisons.subject_a, comparisons.subject_a))
