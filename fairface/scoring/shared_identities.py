"""Who of one data set may be in another, too: by likeness of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError

_CHUNK = 4_000_000  # similarities held at a time
_ROWS = 1 << 16  # embeddings normalised at a time
_CALIBRATED = 2_000  # identities of each set whose likeness to each other is looked at


@dataclass(frozen=True)
class SharedIdentities:
    """For each of T identities of the second set the most similar one of the first, most similar pair first.

    Attributes:
        threshold: cosine similarity from which a pair is taken for one identity.
        by_chance: number of pairs of different identities that would reach it by chance.
        first, second: (T,) int64 labels.
        similarity: (T,) float32 cosine of the mean embeddings.
        best_first, best_second: (T,) int64 positions of the pair's two most similar images.
    """

    threshold: float
    by_chance: float
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float32]
    best_first: NDArray[np.int64]
    best_second: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Pairs that reach the threshold."""
        return int((self.similarity >= self.threshold).sum())


def shared_identities(
    first: NDArray[np.float32],
    first_labels: NDArray[np.integer],
    second: NDArray[np.float32],
    second_labels: NDArray[np.integer],
    threshold: float | None = None,
    fmr: float = 1e-4,
) -> SharedIdentities:
    """Compare the identities of two data sets by the cosine of their mean (normalised) embeddings.

    Args:
        first, second: (N, D) and (M, D) embeddings of the same model.
        first_labels, second_labels: (N,) and (M,) identities; -1 is left out.
        threshold: cosine similarity; default: what a share ``fmr`` of the pairs of different identities within each of
            the sets reaches (identities that a set has twice raise it).
        fmr: that share.

    Raises:
        DataError: a set without labels, embeddings of different sizes, or too few identities to find a threshold.
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise DataError(
            f"embeddings of shapes {first.shape} and {second.shape} are from two models; embed both with one model"
        )
    one = _Identities.of(first, first_labels, "the first set")
    other = _Identities.of(second, second_labels, "the second set")
    different = np.concatenate([_different(one.means), _different(other.means)])
    if threshold is None and not len(different):
        raise DataError("with one identity in each set no threshold can be estimated; give one")
    limit = float(np.quantile(different, 1 - fmr, method="higher")) if threshold is None else threshold
    rate = float((different >= limit).mean()) if len(different) else 0.0
    nearest, similarity = _nearest(other.means, one.means)
    order = np.argsort(-similarity, kind="stable")
    pairs = [_best_images(first[one.rows(nearest[i])], second[other.rows(i)]) for i in order.tolist()]
    return SharedIdentities(
        limit,
        rate * len(one.labels) * len(other.labels),
        one.labels[nearest[order]],
        other.labels[order],
        similarity[order],
        np.array([one.rows(nearest[i])[a] for i, (a, _) in zip(order.tolist(), pairs, strict=True)], np.int64),
        np.array([other.rows(i)[b] for i, (_, b) in zip(order.tolist(), pairs, strict=True)], np.int64),
    )


@dataclass(frozen=True)
class _Identities:
    """``labels (C,)`` ascending, ``means (C, D)`` unit float32; ``order`` sorts the images by label, and those of
    identity i are between ``starts[i]`` and ``starts[i + 1]`` there."""

    labels: NDArray[np.int64]
    means: NDArray[np.float32]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, embeddings: NDArray[np.float32], labels: NDArray[np.integer], what: str) -> _Identities:
        if len(labels) != len(embeddings) or not (labels >= 0).any():
            raise DataError(f"{what} has no labels; embed a labeled data set (test/embed.py)")
        order = np.argsort(labels, kind="stable")
        order = order[labels[order] >= 0]
        identities, starts, which = np.unique(labels[order], return_index=True, return_inverse=True)
        sums = np.zeros((len(identities), embeddings.shape[1]))
        for first in range(0, len(order), _ROWS):
            inside = which[first : first + _ROWS]
            begins = np.flatnonzero(np.diff(inside, prepend=-1))
            sums[inside[begins]] += np.add.reduceat(_unit(embeddings[order[first : first + _ROWS]]), begins, axis=0)
        return cls(identities.astype(np.int64), _unit(sums).astype(np.float32), order, np.append(starts, len(order)))

    def rows(self, identity: int) -> NDArray[np.int64]:
        """Positions of the identity's images."""
        return self.order[self.starts[identity] : self.starts[identity + 1]]


def _nearest(wanted: NDArray[np.float32], among: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each of ``wanted`` the most similar of ``among``, and how similar it is."""
    nearest, similarity = np.empty(len(wanted), np.int64), np.empty(len(wanted), np.float32)
    step = max(1, _CHUNK // len(among))
    for start in range(0, len(wanted), step):
        block = wanted[start : start + step] @ among.T
        nearest[start : start + step] = block.argmax(axis=1)
        similarity[start : start + step] = block.max(axis=1)
    return nearest, similarity


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    values = np.asarray(rows, np.float64)
    unit: NDArray[np.float64] = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return unit


def _different(means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Similarities of different identities, at most :data:`_CALIBRATED` of them, spread evenly over the set."""
    chosen = means[np.unique(np.linspace(0, len(means) - 1, _CALIBRATED).astype(int))]
    return (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]  # type: ignore[no-any-return]


def _best_images(first: NDArray[np.float32], second: NDArray[np.float32]) -> tuple[int, int]:
    """Positions of the two most similar images."""
    block = _unit(first) @ _unit(second).T
    i, j = np.unravel_index(int(block.argmax()), block.shape)
    return int(i), int(j)
