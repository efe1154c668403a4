"""Verification accuracy by k-fold cross-validation, and VAL at FAR, as the insightface project reports them.

Embeddings are compared by the squared Euclidean distance of unit vectors, d = 2 - 2 cos, and a pair is a match when
d is below the threshold. For each fold the threshold with the highest accuracy on the other folds (the lowest of
equals) is tried on this one. Source: the LFW protocol (Huang et al. 2007, view 2) as insightface's
``verification.py`` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.roc import check_scores

ACCURACY_GRID = (4.0, 0.01)  # thresholds of d: 0 to below 4 in steps of 0.01
VAL_GRID = (4.0, 0.001)


@dataclass(frozen=True)
class KFoldAccuracy:
    """Accuracy of each fold and what led to it.

    Attributes:
        accuracies: (K,) share of right decisions in each fold.
        thresholds: (K,) the cosine at and above which a pair matched in that fold, learnt on the others.
        threshold: the cosine that is best on all pairs together.
    """

    accuracies: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    threshold: float

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(self.accuracies.mean())

    @property
    def std(self) -> float:
        """Standard deviation over the folds (divided by K)."""
        return float(self.accuracies.std())


@dataclass(frozen=True)
class ValAtFar:
    """Mean validation rate (= TAR), its standard deviation over folds, and the FAR that the folds really had."""

    target: float
    val: float
    val_std: float
    far: float


def contiguous_folds(count: int, folds: int) -> NDArray[np.int32]:
    """Fold number of each of ``count`` pairs, in ``folds`` runs; the first ``count % folds`` runs are one longer.

    Raises:
        DataError: fewer than two folds, or fewer pairs than folds.
    """
    _check_count(count, folds)
    sizes = np.full(folds, count // folds)
    sizes[: count % folds] += 1
    return np.repeat(np.arange(folds, dtype=np.int32), sizes)


def _check_count(count: int, folds: int) -> None:
    if not 2 <= folds <= count:
        raise DataError(
            f"{quantity(count, 'comparison')} cannot be split into {quantity(folds, 'fold')}; use 2 to {count} folds"
        )


def stratified_folds(same: NDArray[np.bool_], folds: int, seed: int = 0) -> NDArray[np.int32]:
    """Fold number of each pair, drawn at random with genuine and impostor pairs spread evenly over ``folds``.

    Raises:
        DataError: fewer than two folds, or fewer pairs than folds.
    """
    _check_count(len(same), folds)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(np.flatnonzero(kind)) for kind in (same, ~same)])
    found = np.empty(len(same), np.int32)
    found[order] = np.arange(len(same)) % folds
    return found


def are_mixed(same: NDArray[np.bool_], fold: NDArray[np.integer]) -> bool:
    """Whether most folds have pairs of both kinds; of a list that is sorted by truth all but one have not."""
    pairs, genuine = np.bincount(fold), np.bincount(fold, same)
    of_both = (genuine > 0) & (genuine < pairs)
    return bool(2 * of_both.sum() > len(pairs))


def unnamed_folds(same: NDArray[np.bool_], folds: int) -> tuple[NDArray[np.int32], str]:
    """Folds for pairs whose protocol names none: contiguous, as in published sets, or drawn where those are not mixed;
    and a sentence that says so, empty otherwise.

    Raises:
        DataError: fewer than two folds, or fewer pairs than folds.
    """
    found = contiguous_folds(len(same), folds)
    if are_mixed(same, found):
        return found, ""
    return stratified_folds(same, folds), (
        f"the list names no folds and is sorted by truth: {folds} folds were drawn at random (seed 0), genuine and "
        "impostor comparisons spread evenly"
    )


def kfold_accuracy(
    scores: NDArray[np.floating], same: NDArray[np.bool_], folds: int | NDArray[np.integer] = 10
) -> KFoldAccuracy:
    """Accuracy by k-fold cross-validation of cosine ``scores (M,)`` with truth ``same (M,)``.

    ``folds`` is the number of contiguous folds, or (M,) the protocol's own fold of each pair.

    Raises:
        DataError: scores outside [-1, 1], fewer pairs than folds, or what :func:`fairface.scoring.roc.check_scores`
            refuses.
    """
    fold, grid = _folds(scores, same, folds), np.arange(0, *ACCURACY_GRID)
    genuine, impostor = matches_below(scores, same, fold, grid)
    pairs = np.bincount(fold)
    right = genuine + (pairs - np.bincount(fold, same).astype(np.int64))[:, None] - impostor  # (K, T)
    best = np.argmax((right.sum(axis=0) - right) / (pairs.sum() - pairs)[:, None], axis=1)
    overall = int(np.argmax(right.sum(axis=0)))
    return KFoldAccuracy(
        accuracies=right[np.arange(len(pairs)), best] / pairs,
        thresholds=1.0 - grid[best] / 2.0,
        threshold=float(1.0 - grid[overall] / 2.0),
    )


def val_at_far(
    scores: NDArray[np.floating],
    same: NDArray[np.bool_],
    target: float = 1e-3,
    folds: int | NDArray[np.integer] = 10,
) -> ValAtFar:
    """Insightface's VAL at FAR ``target``: each fold's threshold is interpolated on the other folds.

    Where even the loosest threshold of the other folds stays below ``target`` nothing matches, as in the source. The
    interpolated threshold may let FAR exceed ``target`` (see ``far`` of the result);
    :func:`fairface.scoring.roc.tar_at_fmr` does not. A fold without genuine or impostor pairs is left out of that mean.

    Raises:
        DataError: as :func:`kfold_accuracy`.
    """
    fold, grid = _folds(scores, same, folds), np.arange(0, *VAL_GRID)
    _, impostor = matches_below(scores, same, fold, grid)
    pairs, genuine_pairs = np.bincount(fold), np.bincount(fold, same)
    impostor_pairs = pairs - genuine_pairs
    val, far = [], []
    for k in range(len(pairs)):
        others = impostor_pairs.sum() - impostor_pairs[k]
        rising = (impostor.sum(axis=0) - impostor[k]) / others if others else np.zeros(len(grid))
        threshold = float(np.interp(target, rising, grid)) if rising.max() >= target else 0.0
        matched = (fold == k) & (2.0 - 2.0 * scores < threshold)
        if genuine_pairs[k]:
            val.append((matched & same).sum() / genuine_pairs[k])
        if impostor_pairs[k]:
            far.append((matched & ~same).sum() / impostor_pairs[k])
    return ValAtFar(target, float(np.mean(val)), float(np.std(val)), float(np.mean(far)))


def matches_below(
    scores: NDArray[np.floating], same: NDArray[np.bool_], fold: NDArray[np.integer], grid: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Genuine and impostor pairs of each fold whose distance 2 - 2 cos is below each threshold: two (K, T) int64."""
    distances = 2.0 - 2.0 * np.asarray(scores, np.float64)
    folds = int(fold.max()) + 1
    genuine = np.stack([_below(distances[(fold == k) & same], grid) for k in range(folds)])
    impostor = np.stack([_below(distances[(fold == k) & ~same], grid) for k in range(folds)])
    return genuine, impostor


def _below(distances: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(distances), grid, side="left")


def _folds(
    scores: NDArray[np.floating], same: NDArray[np.bool_], folds: int | NDArray[np.integer]
) -> NDArray[np.integer]:
    check_scores(scores, same)
    if np.abs(scores).max() > 1.0 + 1e-6:
        raise DataError(
            f"scores run from {scores.min():g} to {scores.max():g}; k-fold accuracy is defined for cosines in [-1, 1]"
        )
    if isinstance(folds, int):
        return contiguous_folds(len(scores), folds)
    if len(folds) != len(scores):
        raise DataError(
            f"{quantity(len(folds), 'fold number')} for {quantity(len(scores), 'comparison')}; there must be one for "
            "each"
        )
    values, fold = np.unique(folds, return_inverse=True)
    if len(values) < 2:
        raise DataError("the protocol puts all comparisons into one fold; cross-validation needs two or more")
    return fold
