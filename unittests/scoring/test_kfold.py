"""K-fold accuracy and VAL against what insightface's own program gave for the same embeddings."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import KFold

from fairface.errors import DataError
from fairface.scoring.kfold import (
    are_mixed,
    contiguous_folds,
    kfold_accuracy,
    matches_below,
    stratified_folds,
    val_at_far,
)
from fairface.scoring.similarity import cosine_scores

VECTORS = Path(__file__).parents[1] / "vectors" / "score_verification_10fold.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(VECTORS) as file:
        return dict(file)


@pytest.fixture(scope="module")
def pairs(reference):
    count = len(reference["embeddings"])
    scores = cosine_scores(reference["embeddings"], np.arange(0, count, 2), np.arange(1, count, 2))
    return scores, reference["issame"].astype(bool)


def test_accuracy_of_each_fold_is_insightfaces(reference, pairs):
    result = kfold_accuracy(*pairs)
    np.testing.assert_array_equal(result.accuracies, reference["if_accuracy"])
    np.testing.assert_array_equal(result.accuracies, reference["ada_accuracy"])
    assert result.mean == pytest.approx(float(reference["if_acc_mean"]), abs=1e-15)
    assert result.std == pytest.approx(float(reference["if_acc_std"]), abs=1e-15)
    np.testing.assert_allclose(result.thresholds, 1 - reference["ada_best_thresholds"] / 2, rtol=0, atol=1e-12)


def test_rates_at_every_threshold_are_insightfaces(reference, pairs):
    scores, same = pairs
    fold = contiguous_folds(len(same), 10)
    genuine, impostor = matches_below(scores, same, fold, np.arange(0, 4, 0.01))
    tpr = (genuine / np.bincount(fold, same)[:, None]).mean(axis=0)
    fpr = (impostor / np.bincount(fold, ~same)[:, None]).mean(axis=0)
    np.testing.assert_allclose(tpr, reference["if_tpr"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(fpr, reference["if_fpr"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("far", [None, 0.01, 0.1])
def test_val_at_far_is_insightfaces(reference, pairs, far):
    result = val_at_far(*pairs) if far is None else val_at_far(*pairs, target=far)
    names = ("if_val", "if_val_std", "if_far")
    expected = [float(reference[name]) for name in names] if far is None else reference[f"if_val_far{far:g}"]
    np.testing.assert_allclose([result.val, result.val_std, result.far], expected, rtol=0, atol=1e-9)


def test_accuracy_equals_a_loop_over_folds_of_scikit_learn():
    rng = np.random.default_rng(0)
    same = rng.random(137) < 0.4
    scores = np.clip(rng.normal(same * 0.3, 0.2), -1, 1)
    grid = np.arange(0, 4, 0.01)
    expected = []
    for others, own in KFold(7).split(scores):
        right = [np.mean((2 - 2 * scores[others] < t) == same[others]) for t in grid]
        expected.append(np.mean((2 - 2 * scores[own] < grid[int(np.argmax(right))]) == same[own]))
    np.testing.assert_allclose(kfold_accuracy(scores, same, 7).accuracies, expected, rtol=0, atol=1e-15)


def test_the_protocols_folds_are_used_whatever_their_numbers_and_order():
    rng = np.random.default_rng(1)
    same = rng.random(60) < 0.5
    scores = np.clip(rng.normal(same * 0.3, 0.2), -1, 1)
    fold = np.repeat([7, 3, 5], 20)
    shuffled = rng.permutation(60)
    result = kfold_accuracy(scores[shuffled], same[shuffled], fold[shuffled])
    by_run = kfold_accuracy(scores, same, 3).accuracies  # runs 7, 3, 5; the result is in the order 3, 5, 7
    np.testing.assert_array_equal(result.accuracies, by_run[[1, 2, 0]])


@pytest.mark.parametrize(("count", "folds"), [(10, 10), (13, 4), (601, 10)])
def test_contiguous_folds_are_scikit_learns(count, folds):
    expected = np.empty(count, int)
    for number, (_, own) in enumerate(KFold(folds).split(np.zeros(count))):
        expected[own] = number
    np.testing.assert_array_equal(contiguous_folds(count, folds), expected)


def test_folds_that_cannot_be_made_are_errors():
    scores, same = np.array([0.5, 0.1, 0.3]), np.array([True, False, False])
    with pytest.raises(DataError, match="3 comparisons cannot be split into 10 folds"):
        kfold_accuracy(scores, same, 10)
    with pytest.raises(DataError, match="into 1 fold;"):
        kfold_accuracy(scores, same, 1)
    with pytest.raises(DataError, match="all comparisons into one fold"):
        kfold_accuracy(scores, same, np.zeros(3, int))
    with pytest.raises(DataError, match="2 fold numbers for 3"):
        kfold_accuracy(scores, same, np.arange(2))
    with pytest.raises(DataError, match="cosines"):
        kfold_accuracy(scores * 10, same, 2)


def test_val_does_without_folds_that_lack_a_kind():
    scores, same = np.array([0.9, 0.8, 0.1, 0.2]), np.array([True, True, False, False])
    result = val_at_far(scores, same, target=0.5, folds=2)
    assert np.isfinite([result.val, result.far]).all()


def test_drawn_folds_have_equal_shares_and_are_drawn_alike():
    same = np.arange(103) < 23
    fold = stratified_folds(same, 10)
    assert (fold == stratified_folds(same, 10)).all()
    assert (fold != stratified_folds(same, 10, seed=1)).any()
    for kind in (same, ~same):
        counts = np.bincount(fold[kind], minlength=10)
        assert counts.max() - counts.min() <= 1
    assert np.bincount(fold).max() - np.bincount(fold).min() <= 1
    assert are_mixed(same, fold)
    assert not are_mixed(same, contiguous_folds(103, 10))  # sorted by truth
    assert are_mixed(np.arange(20) % 3 == 0, contiguous_folds(20, 10))  # small folds, some of one kind by chance
    assert are_mixed(np.arange(600) % 2 == 0, contiguous_folds(600, 10))
    for folds, count, told in ((1, 9, "1 fold"), (10, 9, "10 folds")):
        with pytest.raises(DataError, match=f"9 comparisons cannot be split into {told};"):
            stratified_folds(np.arange(count) < 4, folds)
