"""What the whole of scoring refuses, and values at the bounds: false match rates, cosines of 1 and -1, defaults."""

from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.bootstrap import bootstrap_intervals, subject_draws
from fairface.scoring.kfold import kfold_accuracy, val_at_far
from fairface.scoring.shared_identities import shared_identities
from fairface.scoring.transductive.rerank import rerank
from fairface.scoring.verification import DEFAULT_FMR, count_duplicates


@pytest.mark.parametrize("target", [0.29, 0.28, 0.07])
def test_a_whole_number_of_false_matches_is_reached_in_every_round(target):
    """0.29 * 100 is a little below 29 in floating point. Two subjects: each round that counts draws both once."""
    comparisons = all_pairs([0] * 10 + [1] * 10)
    impostor = ~comparisons.same
    assert impostor.sum() == 100
    scores = np.zeros(len(comparisons))
    scores[impostor] = np.arange(100)
    scores[~impostor] = np.linspace(60, 99, 90)
    allowed = round(target * 100)
    threshold = np.sort(scores[impostor])[-allowed - 1]  # the first false match too many
    expected = (scores[~impostor] > threshold).mean()
    _, (interval,) = bootstrap_intervals(scores, comparisons, (target,), 30)
    assert interval.low == interval.high == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_intervals_of_unusable_scores_are_refused(bad):
    comparisons = all_pairs([0, 0, 1, 1])
    scores = np.arange(6.0)
    scores[2] = bad
    with pytest.raises(DataError, match=r"1 of 6 scores is not finite \(first: comparison 2\)"):
        bootstrap_intervals(scores, comparisons, (0.5,), 5)


def test_without_settings_intervals_are_at_the_usual_rates():
    rng = np.random.default_rng(0)
    comparisons = all_pairs(np.repeat(np.arange(8), 4))
    scores = rng.normal(comparisons.same * 0.8, 0.5)
    plain = bootstrap_intervals(scores, comparisons)
    assert DEFAULT_FMR == (0.01, 0.001, 0.0001)
    assert plain == bootstrap_intervals(scores, comparisons, DEFAULT_FMR, rounds=1000, level=0.95, seed=0)
    assert len(plain[1]) == 3


def test_cosines_reach_from_minus_one_to_one():
    """A little rounding beyond is allowed. d = 4 lies above every threshold, so opposite vectors never match."""
    same = np.array([True, True, True, False] * 4)
    opposite = kfold_accuracy(np.full(16, -1.0), same, 4)
    assert opposite.accuracies.tolist() == [0.25] * 4
    exact = kfold_accuracy(np.where(same, 1.0, -1.0), same, 4)
    assert exact.mean == 1.0
    assert kfold_accuracy(np.where(same, 1.0 + 5e-7, -1.0 - 5e-7), same, 4).mean == 1.0
    for wrong in (1.0 + 2e-6, -1.0 - 2e-6):
        with pytest.raises(DataError, match="defined for cosines"):
            kfold_accuracy(np.where(same, wrong, 0.0), same, 4)


def test_the_threshold_of_accuracy_lies_on_a_grid_of_a_hundredth():
    """Distances of 0.502 and 0.508 have no threshold between them, those of 0.502 and 0.518 have one."""
    same = np.array([True, False] * 10)
    between = 1.0 - np.where(same, 0.502, 0.508) / 2.0
    assert kfold_accuracy(between, same, 5).mean == 0.5
    apart = kfold_accuracy(1.0 - np.where(same, 0.502, 0.518) / 2.0, same, 5)
    assert apart.mean == 1.0
    np.testing.assert_allclose(apart.thresholds, 1 - 0.51 / 2, rtol=0, atol=1e-12)
    assert apart.threshold == pytest.approx(1 - 0.51 / 2, abs=1e-12)


def test_val_without_enough_false_matches_matches_nothing_and_has_a_target_of_a_thousandth():
    same = np.array([True, False] * 10)
    scores = np.where(same, 0.9, -1.0)  # impostors match at no threshold of the grid
    found = val_at_far(scores, same, folds=5)
    assert (found.target, found.val, found.val_std, found.far) == (1e-3, 0.0, 0.0, 0.0)


def test_an_image_with_itself_is_no_duplicate_of_another_pair():
    """Pairs are told apart whatever their numbers: (0, 3) and (1, 1), (0, 2) and (1, 0)."""
    for a, b in (([0, 1], [3, 1]), ([0, 1], [2, 0]), ([0, 0, 1], [4, 5, 1]), ([5, 5], [5, 4])):
        comparisons = replace(all_pairs([0, 0, 1, 1, 2, 2]), a=np.array(a), b=np.array(b))
        assert count_duplicates(comparisons) == 0
    assert count_duplicates(replace(all_pairs([0, 0, 1]), a=np.array([1, 1]), b=np.array([1, 1]))) == 1
    nothing = np.zeros(0, np.int64)
    assert count_duplicates(replace(all_pairs([0, 0, 1]), a=nothing, b=nothing)) == 0


def test_a_label_for_each_embedding_is_needed():
    rng = np.random.default_rng(0)
    train, labels = rng.normal(size=(6, 4)).astype(np.float32), np.array([0, 0, 1, 1, 2, 2])
    for wrong in (labels[:3], np.append(labels, 3)):
        with pytest.raises(DataError, match="the second set has no labels"):
            shared_identities(train, labels, train, wrong)
        with pytest.raises(DataError, match="the first set has no labels"):
            shared_identities(train, wrong, train, labels)


def test_rounds_count_from_a_single_comparison_of_each_kind_on():
    """One genuine comparison of subject 0, one impostor comparison of subjects 1 and 2: all three must be drawn."""
    everything = all_pairs([0, 0, 1, 2])
    one = [(0, 1), (2, 3)]
    kept = np.array([pair in one for pair in zip(everything.a.tolist(), everything.b.tolist(), strict=True)])
    part = replace(everything, **{
        name: getattr(everything, name)[kept] for name in ("a", "b", "same", "fold", "subject_a", "subject_b")
    })  # fmt: skip
    interval, _ = bootstrap_intervals(np.where(part.same, 0.9, 0.1), part, (0.5,), 60)
    assert interval.rounds == sum(bool((drawn > 0).all()) for drawn in subject_draws(3, 60, 0))
    assert 0 < interval.rounds < 60
    assert (interval.low, interval.high) == (pytest.approx(0.025), 1.0)  # one pair of comparisons without an error


def test_reranking_takes_images_that_are_named_on_one_side_only():
    """Three images, k = 3: image 2 shares the neighbours of 0; each is its own first neighbour with 1.0."""
    scores = np.array([0.8, 0.6])
    expected = 0.65 * scores + 0.7 / 6 * np.array([0.8 + 0.8, 0.6 + 0.6])
    np.testing.assert_allclose(rerank(np.array([0, 0]), np.array([1, 2]), scores, k=3), expected, atol=1e-12)
    np.testing.assert_allclose(rerank(np.array([1, 2]), np.array([0, 0]), scores, k=3), expected, atol=1e-12)
