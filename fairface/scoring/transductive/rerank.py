"""Re-ranking: a pair scores higher when its two images resemble the same other images.

Source: the winning entry of the ECCV 2020 fair-face challenge (its constants are the defaults here).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fairface.scoring.transductive.pairs import Floats, Ints, checked_pairs

_BLOCK = 1 << 16  # pairs at a time: each gathers two rows of k neighbours


def rerank(
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    scores: NDArray[np.floating],
    *,
    k: int = 20,
    own: float = 0.65,
    shared: float = 0.7,
    forget_first: bool = False,
) -> Floats:
    """(M,) ``own`` x score + ``shared`` x (sum over common neighbours c of s(a, c) x s(b, c)) / 2 ``k``.

    The neighbours of an image are its ``k`` best among the given pairs, of which the first is itself, with 1.0. A pair
    that is given again, or an image paired with itself, adds no neighbour. Of equal scores the lower position wins, so
    the order of the pairs plays no part.

    Args:
        a, b: (M,) positions of the images.
        scores: (M,) float, such as cosines.
        k: neighbours of an image, itself included.
        own, shared: weights of a pair's own score and of the common neighbours.
        forget_first: leave out of an image's neighbours the pair that mentions it first, as the published program
            does; scores then depend on the order of the pairs.

    Raises:
        DataError: see :func:`fairface.scoring.transductive.pairs.checked_pairs`.
    """
    first, second, values = checked_pairs(a, b, scores)
    if len(values) == 0:
        return values
    table = neighbour_table(first, second, values, k, forget_first)
    common = np.empty_like(values)
    for start in range(0, len(values), _BLOCK):
        part = slice(start, start + _BLOCK)
        common[part] = np.asarray(table[first[part]].multiply(table[second[part]]).sum(axis=1)).ravel()
    return own * values + shared * common / (2 * k)


def neighbour_table(a: Ints, b: Ints, scores: Floats, k: int, forget_first: bool = False) -> Any:
    """(N, N) sparse rows: the scores of an image's ``k`` best neighbours, itself with 1.0 among them."""
    count = int(max(a.max(), b.max())) + 1
    image, other, score = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([scores, scores])
    kept = image != other
    if forget_first:
        kept &= ~_first_mentions(a, b)
    image, other, score = image[kept], other[kept], score[kept]
    # One entry for each neighbour, the best where a pair is given again.
    order = np.lexsort((-score, other, image))
    image, other, score = image[order], other[order], score[order]
    single = np.append(True, (image[1:] != image[:-1]) | (other[1:] != other[:-1]))[: len(image)]
    image, other, score = image[single], other[single], score[single]
    order = np.lexsort((other, -score, image))
    image, other, score = image[order], other[order], score[order]
    rank = np.arange(len(image)) - np.searchsorted(image, image)
    best = rank < k - 1
    itself = np.arange(count)
    rows = np.concatenate([itself, image[best]])
    columns = np.concatenate([itself, other[best]])
    return sparse.csr_matrix((np.concatenate([np.ones(count), score[best]]), (rows, columns)), (count, count))


def _first_mentions(a: Ints, b: Ints) -> NDArray[np.bool_]:
    """(2M,) for the first, then for the second images: whether this row is the first that mentions the image."""
    in_order = np.stack([a, b], axis=1).ravel()
    first = np.zeros(len(in_order), bool)
    first[np.unique(in_order, return_index=True)[1]] = True
    return first.reshape(-1, 2).T.ravel()
