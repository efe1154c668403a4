"""fairface.scoring.set_difference against rounds that list every drawn pair."""

from dataclasses import replace

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.set_difference import set_difference

ROUNDS, FMR = 30, (0.1, 0.2)


def comparisons_of(subjects, names=()):
    ends = np.asarray(subjects, np.int64)
    count = len(ends)
    return Comparisons(np.arange(count), np.arange(count) + count, ends[:, 0] == ends[:, 1],
                       np.full(count, -1, np.int32), ends[:, 0], ends[:, 1], subject_names=names)  # fmt: skip


def random_set(seed, people=12, count=150, shift=1.0):
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, people, (count, 2))
    ends[: count // 3, 1] = ends[: count // 3, 0]
    made = comparisons_of(ends, tuple(f"p{k}" for k in range(people)))
    return rng.normal(made.same * shift, 1.0), made


def measures(scores, same, weights):
    """AUC and TAR at each FMR of comparisons that count ``weights`` times, each listed that often."""
    genuine, impostor = (np.repeat(scores[kind], weights[kind]) for kind in (same, ~same))
    beaten = np.mean([(one > impostor).mean() + (one == impostor).mean() / 2 for one in genuine])
    falling = np.sort(impostor)[::-1]
    result = [beaten, error_rate(genuine, impostor)]
    for target in FMR:
        allowed = max(k for k in range(len(falling)) if k / len(falling) <= target)
        result.append((genuine > falling[allowed]).mean())
    return np.array(result)


def error_rate(genuine, impostor):
    """Where the line between neighbouring points of the ROC crosses FMR = FNMR."""
    before = (0.0, 1.0)
    for threshold in sorted({*genuine.tolist(), *impostor.tolist()}, reverse=True):
        point = (impostor >= threshold).mean(), (genuine < threshold).mean()
        if point[0] >= point[1]:
            rising = point[0] - before[0] + before[1] - point[1]
            return before[0] + (point[0] - before[0]) * (before[1] - before[0]) / rising
        before = point
    raise AssertionError("FMR ends at 1, FNMR at 0")


def pair_weights(made, drawn):
    return np.where(made.same, drawn[made.subject_a], drawn[made.subject_a] * drawn[made.subject_b])


def expected(rounds):
    return np.quantile(np.array(rounds), [0.05, 0.95], axis=0)


def check(found, rounds):
    low, high = expected(rounds)
    for place, key in enumerate(("auc", "eer", "tar@0.1", "tar@0.2")):
        assert (found.intervals[key].low, found.intervals[key].high) == pytest.approx((low[place], high[place]))
        assert found.intervals[key].rounds == len(rounds)


def test_one_draw_of_the_subjects_for_both_sets():
    (one, first), (other, _) = random_set(0), random_set(1)
    other = np.where(first.same, 0.4, 0.0) + other * 0.8
    draws, rounds = np.random.default_rng(7), []
    named = sorted({*first.subject_a.tolist(), *first.subject_b.tolist()})
    assert named == list(range(12))
    for _ in range(ROUNDS):
        drawn = np.bincount(draws.integers(0, 12, 12), minlength=12)
        weights = pair_weights(first, drawn)
        rounds.append(measures(other, first.same, weights) - measures(one, first.same, weights))
    # Numbers follow the sorted names where there are any, so the numbers alone give the draws of this loop.
    bare = replace(first, subject_names=())
    found = set_difference((one, bare), (other, bare), FMR, ROUNDS, 0.9, seed=7)
    check(found, rounds)
    assert (found.same_pairs, found.drawn) == (True, "subjects of both sets")


def test_other_pairs_of_the_same_people_by_name():
    (one, first), (other, second) = random_set(2), random_set(3)
    order = np.random.default_rng(0).permutation(12)  # the second list numbers the same people in another way
    renumbered = replace(second, subject_a=order[second.subject_a], subject_b=order[second.subject_b],
                         subject_names=tuple(f"p{k}" for k in np.argsort(order)))  # fmt: skip
    names = sorted(first.subject_names)
    draws, rounds = np.random.default_rng(0), []
    for _ in range(ROUNDS):
        drawn = np.bincount(draws.integers(0, 12, 12), minlength=12)
        by_person = np.array([drawn[names.index(f"p{k}")] for k in range(12)])
        rounds.append(measures(other, second.same, pair_weights(second, by_person))
                      - measures(one, first.same, pair_weights(first, by_person)))  # fmt: skip
    found = set_difference((one, first), (other, renumbered), FMR, ROUNDS, 0.9)
    check(found, rounds)
    assert (found.same_pairs, found.drawn) == (False, "subjects of both sets")


def test_people_who_cannot_be_told_to_be_the_same_are_drawn_apart():
    (one, first), (other, second) = random_set(4), random_set(5)
    first, second = (replace(of, subject_names=()) for of in (first, second))
    draws, rounds = [np.random.default_rng(9), np.random.default_rng(10)], []
    for _ in range(ROUNDS):
        drawn = [np.bincount(rng.integers(0, 12, 12), minlength=12) for rng in draws]
        rounds.append(measures(other, second.same, pair_weights(second, drawn[1]))
                      - measures(one, first.same, pair_weights(first, drawn[0])))  # fmt: skip
    found = set_difference((one, first), (other, second), FMR, ROUNDS, 0.9, seed=9)
    check(found, rounds)
    assert found.drawn == "subjects of each set"


@pytest.mark.parametrize("same_pairs", [True, False])
def test_pairs_are_drawn_where_no_subject_is_named(same_pairs):
    (one, first), (other, second) = random_set(6), random_set(7)
    second = first if same_pairs else replace(second, same=np.roll(second.same, 1))
    nobody = np.full(len(first), -1)
    first, second = (replace(of, subject_a=nobody, subject_b=nobody) for of in (first, second))
    draws, rounds = [np.random.default_rng(0), np.random.default_rng(1)], []
    for _ in range(ROUNDS):
        weights = [np.bincount(rng.integers(0, 150, 150), minlength=150) for rng in draws]
        if same_pairs:
            weights[1] = weights[0]
        rounds.append(measures(other, second.same, weights[1]) - measures(one, first.same, weights[0]))
    found = set_difference((one, first), (other, second), FMR, ROUNDS, 0.9)
    check(found, rounds)
    assert found.same_pairs is same_pairs
    assert found.drawn == ("the same pairs of both sets" if same_pairs else "pairs of each set")


def test_a_set_beside_itself_has_no_difference_and_broken_scores_are_refused():
    scores, made = random_set(8)
    found = set_difference((scores, made), (scores, made), FMR, ROUNDS)
    assert [(of.low, of.high) for of in found.intervals.values()] == [(0.0, 0.0)] * 4
    with pytest.raises(DataError, match="scores are not finite"):
        set_difference((scores, made), (scores * np.nan, made), FMR, ROUNDS)
