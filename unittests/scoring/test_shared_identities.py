"""fairface.scoring.shared_identities."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.shared_identities import shared_identities


def identities(seed: int, count: int, images: int, spread: float = 0.3, size: int = 64):
    """Embeddings of identities around random centres; (N, D), (N,), centres."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((count, size))
    labels = np.repeat(np.arange(count), images)
    return (centres[labels] + spread * rng.standard_normal((len(labels), size))).astype(np.float32), labels, centres


def test_shared_identities_are_found():
    train, train_labels, centres = identities(0, 40, 5)
    test, test_labels, _ = identities(1, 10, 4)
    rng = np.random.default_rng(2)
    for identity, double in ((3, 17), (7, 31)):
        test[test_labels == identity] = 5 * (centres[double] + 0.3 * rng.standard_normal((4, 64)))
    found = shared_identities(train, train_labels, test, test_labels)
    assert found.count == 2
    assert {(int(b), int(a)) for a, b in zip(found.first[:2], found.second[:2], strict=True)} == {(3, 17), (7, 31)}
    assert sorted(found.second.tolist()) == list(range(10))
    assert (np.diff(found.similarity) <= 0).all()
    for i in range(2):
        assert test_labels[found.best_second[i]] == found.second[i]
        assert train_labels[found.best_first[i]] == found.first[i]


def test_against_a_loop():
    train, train_labels, _ = identities(0, 7, 3, spread=2)
    test, test_labels, _ = identities(1, 4, 2, spread=2)
    train_labels, order = 10 * train_labels, np.random.default_rng(3).permutation(len(train))
    train, train_labels = train[order], train_labels[order]
    test_labels = np.where(np.arange(8) == 0, -1, test_labels)
    found = shared_identities(train, train_labels, test, test_labels, threshold=0.1)

    def unit(row):
        return row / np.linalg.norm(row)

    def mean(rows):
        return unit(sum(unit(row.astype(np.float64)) for row in rows))

    for second, first, similarity, a, b in zip(
        found.second, found.first, found.similarity, found.best_first, found.best_second, strict=True
    ):
        scores = {
            int(label): mean(train[train_labels == label]) @ mean(test[test_labels == second])
            for label in np.unique(train_labels)
        }
        assert first == max(scores, key=scores.__getitem__)
        assert similarity == pytest.approx(scores[int(first)], abs=1e-6)
        pairs = {
            (i, j): unit(train[i].astype(float)) @ unit(test[j].astype(float))
            for i in np.flatnonzero(train_labels == first)
            for j in np.flatnonzero(test_labels == second)
        }
        assert (a, b) == max(pairs, key=pairs.__getitem__)
    assert found.count == int((found.similarity >= 0.1).sum())


def test_threshold_from_the_false_match_rate():
    train, train_labels, _ = identities(0, 60, 2)
    test, test_labels, _ = identities(1, 50, 2)
    found = shared_identities(train, train_labels, test, test_labels, fmr=0.05)
    assert found.by_chance == pytest.approx(0.05 * 60 * 50, rel=0.05)
    assert shared_identities(train, train_labels, test, test_labels, threshold=2).by_chance == 0


def test_what_cannot_be_compared():
    train, labels, _ = identities(0, 3, 2)
    with pytest.raises(DataError, match="are from two models"):
        shared_identities(train, labels, train[:, :10], labels)
    for wrong in (labels[:0], np.full(6, -1)):
        with pytest.raises(DataError, match="the second set has no labels"):
            shared_identities(train, labels, train, wrong)
    with pytest.raises(DataError, match="no threshold can be estimated"):
        shared_identities(train[:2], labels[:2], train[:2], labels[:2])
    assert shared_identities(train[:2], labels[:2], train[:2], labels[:2], threshold=0.9).count == 1
