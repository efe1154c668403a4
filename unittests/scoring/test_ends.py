"""The last value that is accepted and the first that is not, for whatever scoring is asked."""

from dataclasses import replace

import numpy as np
import pytest

from fairface import scoring
from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring import fairness, kfold, shared_identities, similarity, verification
from fairface.scoring.bootstrap import bootstrap_intervals
from fairface.scoring.measure import Interval, number
from fairface.scoring.roc import check_scores
from fairface.scoring.transductive.chain import ChainSteps, run_chain
from fairface.scoring.transductive.fuse import fuse
from fairface.scoring.transductive.gap_cut import gap_cut
from fairface.scoring.transductive.pairs import checked_pairs


@pytest.mark.parametrize("package", [scoring, fairness])
def test_what_a_package_names_is_there(package):
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name).__name__.endswith(name)


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, 1.5])
def test_a_rate_lies_between_0_and_1(target):
    comparisons = all_pairs([0, 0, 1, 1])
    with pytest.raises(DataError, match=f"FMR {target} cannot be used; it must lie between 0 and 1"):
        verification.verify(np.arange(6.0), comparisons, fmr=[0.5, target])
    with pytest.raises(DataError, match=f"FMR {target} cannot be used; it must lie between 0 and 1"):
        fairness.evaluate(np.arange(6.0), comparisons.same, {"x": ["a"] * 6}, fmr=target)
    assert verification.verify(np.arange(6.0), comparisons, fmr=[0.999]).tar["0.999"] >= 0


@pytest.mark.parametrize("bad", [1, 5, 6, 9])
def test_the_first_five_bad_embeddings_are_named(bad):
    rows = np.ones((9, 2))
    rows[:bad] = 0.0
    named = ", ".join(map(str, range(min(bad, 5)))) + (", …" if bad > 5 else "")
    are = "is" if bad == 1 else "are"
    with pytest.raises(DataError, match=rf"^{bad} of 9 embeddings {are} of length zero \(index {named}\);"):
        similarity.unit_rows(rows)


def test_positions_from_the_first_to_the_last_are_taken():
    rows = np.eye(3)
    assert similarity.cosine_scores(rows, np.array([0, 2]), np.array([2, 2])).tolist() == [0.0, 1.0]
    for a, b in (([0], [3]), ([3], [0]), ([-1], [0]), ([0], [-1])):
        with pytest.raises(DataError, match=r"images -?\d to -?\d, but there are 3 embeddings"):
            similarity.cosine_scores(rows, np.array(a), np.array(b))
    rounded = np.full((2, 7), 0.1, np.float32)
    assert similarity.cosine_scores(rounded, np.array([0]), np.array([1]))[0] <= 1.0


def test_folds_reach_from_two_to_one_for_each_comparison():
    assert kfold.contiguous_folds(4, 4).tolist() == [0, 1, 2, 3]
    assert kfold.contiguous_folds(5, 2).tolist() == [0, 0, 0, 1, 1]
    for folds, told in ((1, "1 fold"), (5, "5 folds")):
        with pytest.raises(DataError, match=f"4 comparisons cannot be split into {told}; use 2 to 4 folds"):
            kfold.contiguous_folds(4, folds)
    same = np.array([True, False] * 4)
    with pytest.raises(DataError, match=r"scores run from -0\.5 to 1\.25; k-fold accuracy is defined for cosines"):
        kfold.kfold_accuracy(np.where(same, 1.25, -0.5), same, 2)
    assert kfold.kfold_accuracy(np.where(same, 1.0 + 1e-6, -0.5), same, 2).mean == 1.0  # rounding goes as far as this
    with pytest.raises(DataError, match="7 fold numbers for 8 comparisons"):
        kfold.kfold_accuracy(np.where(same, 0.5, 0.0), same, np.zeros(7, int))
    with pytest.raises(DataError, match="puts all comparisons into one fold"):
        kfold.kfold_accuracy(np.where(same, 0.5, 0.0), same, np.full(8, 3))
    assert kfold.kfold_accuracy(np.where(same, 0.5, 0.0), same, np.array([3, 3, 3, 3, 9, 9, 9, 9])).mean == 1.0


def test_where_no_match_is_best_the_threshold_is_that_of_a_distance_of_0():
    same = np.array([True, False, False, False] * 4)
    found = kfold.kfold_accuracy(np.where(same, -0.5, 0.5), same, 4)
    assert found.accuracies.tolist() == [0.75] * 4
    assert found.thresholds.tolist() == [1.0] * 4
    assert found.threshold == 1.0


def test_a_single_subject_is_counted():
    comparisons = all_pairs([0, 0, 1])
    one = replace(comparisons, subject_a=np.full(3, 7), subject_b=np.full(3, 7))
    assert verification.verify(np.array([0.9, 0.1, 0.2]), one, folds=2).subjects == 1
    assert verification.verify(np.array([0.9, 0.1, 0.2]), comparisons, folds=2).subjects == 2
    unknown = replace(comparisons, subject_b=np.array([0, -1, 1]))
    assert verification.verify(np.array([0.9, 0.1, 0.2]), unknown, folds=2).subjects is None


def test_nothing_matches_where_the_other_folds_have_too_few_false_matches():
    """Even at a distance of almost 0; and a fold's own false matches play no part."""
    same = np.array([True, False] * 10)
    found = kfold.val_at_far(np.where(same, 0.9999, -1.0), same, folds=5)
    assert (found.val, found.far) == (0.0, 0.0)


def test_no_genuine_score_above_any_impostor_score_is_a_rate_of_0():
    comparisons = all_pairs([0, 0, 1, 1, 2, 2])
    intervals = bootstrap_intervals(np.where(comparisons.same, 0.1, 0.9), comparisons, (0.1, 0.5), 20)
    assert (intervals[0].low, intervals[0].high) == (0.0, pytest.approx(0.975))  # of three people one pair
    exact = pytest.approx(1 - 0.025 ** (1 / 3))
    assert all((interval.low, interval.high) == (0.0, exact) for interval in intervals[1])
    assert all(interval.rounds == intervals[0].rounds for interval in intervals[1])
    nothing, _ = bootstrap_intervals(np.where(comparisons.same, 0.1, 0.9), comparisons, (), 0)
    assert nothing.rounds == 0
    assert nothing.to_dict() == {"low": None, "high": None, "level": 0.95, "rounds": 0}


def test_scores_and_truths_are_one_for_each_comparison():
    for scores, same in ((np.ones((2, 2)), np.eye(2, dtype=bool)), (np.ones(3), np.array([True, False]))):
        with pytest.raises(DataError, match="there must be one score for each"):
            check_scores(scores, same)


def test_numbers_for_json():
    assert [number(value) for value in (0.0, 1.5, np.nan, np.inf, -np.inf)] == [0.0, 1.5, None, None, None]
    assert Interval(0.25, np.inf, 0.9, 7).to_dict() == {"low": 0.25, "high": None, "level": 0.9, "rounds": 7}


def test_identities_of_two_models_are_not_compared():
    rows, labels = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32), np.array([0, 0, 1, 1, 2, 2])
    for one, other in ((rows[:, 0], rows), (rows, rows[:, 0]), (rows, rows[:, :3]), (rows[None], rows)):
        with pytest.raises(DataError, match="are from two models; embed both with one model"):
            shared_identities.shared_identities(one, labels, other, labels)


@pytest.mark.parametrize("held", [1, 7])
def test_few_similarities_and_embeddings_in_hand_change_nothing(held, monkeypatch):
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(30, 5)).astype(np.float32), rng.normal(size=(20, 5)).astype(np.float32)
    labels = np.repeat(np.arange(10), 3), np.repeat(np.arange(5), 4)
    whole = shared_identities.shared_identities(first, labels[0], second, labels[1], 0.3)
    monkeypatch.setattr(shared_identities, "_CHUNK", held)
    monkeypatch.setattr(shared_identities, "_ROWS", held)
    parts = shared_identities.shared_identities(first, labels[0], second, labels[1], 0.3)
    for name in ("first", "second", "best_first", "best_second"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    np.testing.assert_allclose(parts.similarity, whole.similarity, rtol=0, atol=1e-6)
    assert parts.by_chance == whole.by_chance > 0


def test_pairs_and_scores_that_do_not_fit():
    good = np.array([0, 1]), np.array([1, 2]), np.array([0.5, 0.25])
    found = checked_pairs(*good)
    assert [part.dtype for part in found] == [np.int64, np.int64, np.float64]
    for place, wrong in ((0, good[0][:1]), (1, good[1][:1]), (2, good[2][:1])):
        changed = [wrong if i == place else part for i, part in enumerate(good)]
        with pytest.raises(DataError, match=r"images with \(.*\) scores; give one each"):
            checked_pairs(*changed)
    with pytest.raises(DataError, match="give one each"):
        checked_pairs(*(part[None] for part in good))
    for place in (0, 1):
        changed = [part - 2 if i == place else part for i, part in enumerate(good)]
        with pytest.raises(DataError, match="names an image below 0"):
            checked_pairs(*changed)
    with pytest.raises(DataError, match=r"^1 of 2 scores is not finite \(first: pair 1\)"):
        checked_pairs(good[0], good[1], np.array([0.5, np.inf]))


def test_fusion_takes_the_hard_score_above_its_limit_only():
    assert fuse(np.array([0.99, 0.9901, 0.5]), np.array([0.1, 0.2, 0.3])).tolist() == [0.1, 0.9901, 0.3]
    assert fuse(np.array([0.5, 0.51]), np.array([0.0, 0.0]), above=0.5).tolist() == [0.0, 0.51]
    with pytest.raises(DataError, match=r"\(1, 2\) scores cannot be fused with \(1, 2\)"):
        fuse(np.ones((1, 2)), np.ones((1, 2)))
    for one, two in (([np.nan, 1], [0, 0]), ([0, 1], [np.inf, 0])):
        with pytest.raises(DataError, match=r"^1 of 2 pairs has a score that is not finite"):
            fuse(np.array(one, float), np.array(two, float))


def test_a_gap_is_larger_than_the_smallest_and_a_pair_above_the_slack_moves_up():
    """Image 0 with scores 1, 0.5 and 0.25 has gaps of one half and of one quarter; the lowest counts."""
    a, b, scores = np.zeros(3, int), np.array([1, 2, 3]), np.array([1.0, 0.5, 0.25])
    np.testing.assert_allclose(gap_cut(a, b, scores), scores + np.array([0.025, 0.025, -0.025]), atol=1e-15)
    np.testing.assert_allclose(
        gap_cut(a, b, scores, smallest=0.25), scores + np.array([0.05, -0.05, -0.05]), atol=1e-15
    )
    np.testing.assert_array_equal(gap_cut(a, b, scores, smallest=0.5), scores)
    moved = gap_cut(a, b, scores, step=1.0, slack=0.25)  # 0.5 is not more than the slack above 0.25
    np.testing.assert_allclose(moved, scores + np.array([0.25, -0.25, -0.25]), atol=1e-15)


def test_steps_tell_what_they_changed_and_leave_the_models_scores():
    a, b, scores, hard = np.zeros(3, int), np.array([1, 2, 3]), np.array([1.0, 0.5, 0.25]), np.array([0.0, 0.995, 0.5])
    found = run_chain(a, b, scores, hard, ChainSteps(rerank=False))
    assert [step.to_dict() for step in found.steps] == [
        {"step": "rerank", "on": False, "kind": "transductive", "changed": 0},
        {"step": "cut", "on": True, "kind": "transductive", "changed": 3},
        {"step": "fuse", "on": True, "kind": "transductive", "changed": 1},
    ]
    np.testing.assert_allclose(found.scores, [1.025, 0.995, 0.225], atol=1e-15)
    np.testing.assert_array_equal(found.three_step, scores)
    np.testing.assert_array_equal(found.hard, hard)
    alone = run_chain(a, b, scores, None, ChainSteps(rerank=False, cut=False, fuse=False))
    assert alone.hard is None
    np.testing.assert_array_equal(alone.scores, scores)
