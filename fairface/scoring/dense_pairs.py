"""Cosines of long lists of pairs among few vectors, such as IJB-C's 15,658,489 pairs of 23,124 templates.

Where a list holds more than some hundredths of all pairs, multiplying whole blocks of vectors and picking the listed
products is faster than fetching two vectors for each pair: the vectors stay in the processor's cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.similarity import cosine_scores, unit_rows

_ROWS = 256  # rows of a block of products
_MOST_ROWS = _ROWS << 16  # block numbers are uint16, which numpy sorts by radix
_WASTE = 50  # products that take as long as fetching the two vectors of one pair


def listed_cosines(
    features: NDArray[np.floating], a: NDArray[np.integer], b: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Cosine of each pair of rows ``(a[i], b[i])`` of ``features (T, D)``: (M,) float64 in [-1, 1].

    Equal to :func:`fairface.scoring.similarity.cosine_scores` up to rounding, whose errors it raises. Memory beside the
    result: the rows in float64, 256 x T products, and three arrays of M integers.
    """
    if len(a) != len(b) or not _inside(a, len(features)) or not _inside(b, len(features)):
        return cosine_scores(features, a, b)  # which says what is wrong
    left, right = _named(a, len(features)), _named(b, len(features))
    both = left | right
    apart, together = int(left.sum()) * int(right.sum()), int(both.sum()) ** 2 // 2
    if min(apart, together) > _WASTE * len(a) or len(features) > _MOST_ROWS:
        return cosine_scores(features, a, b)
    rows = unit_rows(features)
    if together < apart:  # with the smaller position first, half of the square is enough
        a, b = np.minimum(a, b), np.maximum(a, b)
        left = right = both
    return _picked(rows[left], rows[right], _numbered(left)[a], _numbered(right)[b])


def _picked(
    left: NDArray[np.float64], right: NDArray[np.float64], a: NDArray[np.int32], b: NDArray[np.int32]
) -> NDArray[np.float64]:
    """``left[a[i]] @ right[b[i]]`` for each i, from products of blocks."""
    blocks = (a // _ROWS).astype(np.uint16)
    order = np.argsort(blocks, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(blocks))])
    scores = np.empty(len(a), np.float64)
    room = np.empty(_ROWS * len(right), np.float64)
    for block in range(len(ends) - 1):
        listed = order[ends[block] : ends[block + 1]]
        if len(listed) == 0:
            continue
        columns = b[listed]
        first, last = int(columns.min()), int(columns.max()) + 1
        rows = left[block * _ROWS : (block + 1) * _ROWS]
        products = room[: len(rows) * (last - first)].reshape(len(rows), -1)
        np.matmul(rows, right[first:last].T, out=products)
        scores[listed] = products[a[listed] - block * _ROWS, columns - first]
    return np.clip(scores, -1.0, 1.0, out=scores)


def _inside(positions: NDArray[np.integer], count: int) -> bool:
    return len(positions) > 0 and int(positions.min()) >= 0 and int(positions.max()) < count


def _named(positions: NDArray[np.integer], count: int) -> NDArray[np.bool_]:
    """(count,) whether a position occurs."""
    found = np.zeros(count, np.bool_)
    found[positions] = True
    return found


def _numbered(chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
    """For each chosen position, its number among the chosen."""
    return (np.cumsum(chosen) - 1).astype(np.int32)
