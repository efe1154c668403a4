"""Cosine similarity of the pairs of embeddings that a protocol compares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity

_BLOCK = 256  # rows that stay in the processor's cache
_LEAST = 1e-200  # squares from here to its inverse lose nothing


def unit_rows(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    """The rows of ``embeddings (N, D)`` at unit length, float64.

    Raises:
        DataError: not two-dimensional, or a row that is not finite or has length zero; the message names the rows.
    """
    if embeddings.ndim != 2:
        raise DataError(f"embeddings have shape {embeddings.shape}; they must be (images, dimensions)")
    rows, extreme = np.empty(embeddings.shape, np.float64), []
    with np.errstate(all="ignore"):  # of rows that are looked at below
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            part[:] = embeddings[start : start + _BLOCK]
            squares = np.einsum("nd,nd->n", part, part)
            extreme.append(start + np.flatnonzero(~((squares > _LEAST) & (squares < 1.0 / _LEAST))))
            part /= np.sqrt(squares)[:, None]
    unusual = np.concatenate([*extreme, np.zeros(0, np.intp)]).astype(np.intp)
    if len(unusual):
        rows[unusual] = _unit_extreme(np.asarray(embeddings[unusual], np.float64), unusual, len(rows))
    return rows


def _unit_extreme(rows: NDArray[np.float64], indices: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """Very small and very large rows at unit length: divided by their largest value first, to keep squares in range."""
    _refuse(~np.isfinite(rows).all(axis=1), indices, count, "not finite")
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    _refuse(largest[:, 0] == 0.0, indices, count, "of length zero")
    rows = rows / largest
    return np.asarray(rows / np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None])


def _refuse(bad: NDArray[np.bool_], indices: NDArray[np.intp], count: int, what: str) -> None:
    if bad.any():
        where = ", ".join(str(index) for index in indices[bad][:5])
        more = ", …" if bad.sum() > 5 else ""
        raise DataError(
            f"{int(bad.sum())} of {quantity(count, 'embedding')} {agree(int(bad.sum()), 'is', 'are')} {what} (index "
            f"{where}{more}); leave these images out or embed them again"
        )


def similarity(a: ArrayLike, b: ArrayLike) -> Any:
    """Cosine similarity of embeddings, in [-1, 1]; the same subject scores high.

    Args:
        a, b: one embedding ``(D,)`` or several ``(N, D)``; they need not be normalised.

    Returns:
        A float for two embeddings; else float64 with an axis for each of ``a`` and ``b`` that holds several, such as
        ``(N, M)`` for ``(N, D)`` and ``(M, D)``.

    Raises:
        DataError: embeddings of different length, or one that is not finite or has length zero.

    >>> from fairface import similarity
    >>> similarity([0.6, 0.8], [3.0, 4.0])
    1.0
    >>> similarity([[1, 0], [0, 2], [1, 1]], [[1, 0], [-1, 0]]).round(3).tolist()
    [[1.0, -1.0], [0.0, 0.0], [0.707, -0.707]]
    """
    left, right = np.asarray(a), np.asarray(b)
    one, other = (unit_rows(rows[None] if rows.ndim == 1 else rows) for rows in (left, right))
    if one.shape[1] != other.shape[1]:
        raise DataError(f"embeddings have {one.shape[1]} and {other.shape[1]} values; compare those of one model")
    cosines = np.clip(one @ other.T, -1.0, 1.0).reshape(left.shape[:-1] + right.shape[:-1])
    return cosines if cosines.ndim else float(cosines)


def cosine_scores(
    embeddings: NDArray[Any], a: NDArray[np.integer], b: NDArray[np.integer], chunk: int = 256
) -> NDArray[np.float64]:
    """Cosine of each pair of rows ``(a[i], b[i])`` of ``embeddings (N, D)``: (M,) float64 in [-1, 1].

    Sums are float64. Only ``chunk`` pairs of rows are gathered at a time: memory stays at N x D values beside the
    result, and at ``chunk`` x D for up to N pairs; the rows in hand stay in the processor's cache.

    Raises:
        DataError: a position outside the embeddings, or an embedding that has no direction (see :func:`unit_rows`).
    """
    if len(a) != len(b):
        raise DataError(f"{len(a)} first and {quantity(len(b), 'second image')}; comparisons need one of each")
    for positions in (a, b):
        if len(positions) and not 0 <= positions.min() <= positions.max() < len(embeddings):
            raise DataError(
                f"the comparisons use images {positions.min()} to {positions.max()}, but there "
                f"{agree(len(embeddings), 'is', 'are')} {quantity(len(embeddings), 'embedding')}; score them with the "
                "embeddings of the same list of images"
            )
    # Where few rows are compared more than once, each pair's are brought to unit length in the processor's cache.
    few = len(a) <= len(embeddings)
    rows = embeddings if few else unit_rows(embeddings)
    scores = np.empty(len(a), np.float64)
    try:
        for start in range(0, len(a), chunk):
            pair = [rows[positions[start : start + chunk]] for positions in (a, b)]
            left, right = map(unit_rows, pair) if few else pair
            scores[start : start + chunk] = np.einsum("md,md->m", left, right)
        if few:
            _refuse_others(embeddings, a, b)
    except DataError:
        unit_rows(embeddings)  # names the rows by their place among all
        raise
    return np.clip(scores, -1.0, 1.0, out=scores)


def _refuse_others(embeddings: NDArray[Any], a: NDArray[np.integer], b: NDArray[np.integer]) -> None:
    """Look at the rows that no pair names, too."""
    others = np.ones(len(embeddings), np.bool_)
    others[a] = others[b] = False
    if others.any():
        unit_rows(embeddings[others])
