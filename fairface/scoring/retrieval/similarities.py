"""Scores of queries with a gallery, a block of queries at a time: cosine, Euclidean, or given."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.retrieval.image_set import ImageSet
from fairface.scoring.similarity import unit_rows

METRICS = ("cosine", "euclidean")


class Similarities(Protocol):
    """Scores (Q, G) of Q queries with G gallery images; higher means more alike."""

    shape: tuple[int, int]

    def block(self, start: int, stop: int) -> NDArray[np.floating]:
        """Scores of the queries from ``start`` to ``stop``, an array that the caller may change."""


def similarities(queries: ImageSet, gallery: ImageSet, metric: str) -> Similarities:
    """Cosines, or negative Euclidean distances up to a constant for each query.

    Raises:
        DataError: another metric, features that are not finite, or (cosine) of length zero.
    """
    if metric not in METRICS:
        raise DataError(f"the metric {metric!r} is unknown; choose {' or '.join(METRICS)}")
    named = (("queries", queries), ("gallery", gallery))
    if metric == "cosine":
        rows, columns = (_named(what, images) for what, images in named)
        return _Products(rows, columns, np.zeros(len(columns)))
    rows, columns = (_finite(what, images) for what, images in named)
    # |q - g|² = |q|² - 2 (q.g - |g|²/2): the rest is constant for a query, so the order is that of the distances.
    return _Products(rows, columns, np.einsum("nd,nd->n", columns, columns) / 2.0)


class GivenScores:
    """Scores that exist already.

    Raises:
        DataError: an array of another shape, empty, or scores that are not finite.
    """

    def __init__(self, scores: NDArray[np.floating]) -> None:
        if scores.ndim != 2 or 0 in scores.shape:
            raise DataError(f"scores have shape {scores.shape}; they must be (queries, gallery images), none of them 0")
        bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
        if len(bad):
            raise DataError(
                f"{len(bad)} of {quantity(len(scores), 'query')} {agree(len(bad), 'has', 'have')} scores that are "
                f"not finite (first: {bad[0]}); leave them out or score them again")  # fmt: skip
        self.scores = scores if scores.dtype.kind == "f" else scores.astype(np.float64)
        self.shape = (scores.shape[0], scores.shape[1])

    def block(self, start: int, stop: int) -> NDArray[np.floating]:
        return self.scores[start:stop].copy()


class _Products:
    """``rows (Q, D)`` times ``columns (G, D)``, less a number for each of the columns.

    A matrix product may round equal columns differently. Equal gallery images must get equal scores, so each distinct
    one is multiplied once.
    """

    def __init__(self, rows: NDArray[np.float64], columns: NDArray[np.float64], less: NDArray[np.float64]) -> None:
        self.shape = (len(rows), len(columns))
        first, self.place = _distinct(columns)
        self.rows, self.less = rows, less[first] if less.any() else None
        self.columns = columns if self.place is None else columns[first]

    def block(self, start: int, stop: int) -> NDArray[np.floating]:
        scores = self.rows[start:stop] @ self.columns.T
        if self.less is not None:
            scores -= self.less
        return scores if self.place is None else scores[:, self.place]


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """First of each distinct row, and for every row its place among them; ``None`` where all rows differ."""
    if len(np.unique(rows[:, 0])) == len(rows):
        return np.arange(len(rows)), None
    _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, None if len(first) == len(rows) else place.ravel()


def _named(what: str, images: ImageSet) -> NDArray[np.float64]:
    try:
        return unit_rows(images.features)
    except DataError as error:
        raise DataError(f"{what}: {error}") from error


def _finite(what: str, images: ImageSet) -> NDArray[np.float64]:
    rows = np.asarray(images.features, np.float64)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DataError(
            f"{what}: {len(bad)} of {quantity(len(rows), 'embedding')} {agree(len(bad), 'is', 'are')} not finite "
            f"(first: {bad[0]}); leave these images out or embed them again")  # fmt: skip
    return rows
