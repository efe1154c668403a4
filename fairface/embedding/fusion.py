"""Embeddings of several views of one image joined into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Fusion = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]


def flip_sum(original: NDArray[np.floating], flipped: NDArray[np.floating]) -> NDArray[np.floating]:
    """f(x) + f(mirrored x), both (N, D) and **not** normalised.

    The sum of raw embeddings weighs each view by its length, which is a measure of its quality (AdaFace, Kim et al.
    2022, whose evaluation does the same). The length of the sum is kept; scoring normalises.
    """
    return original + flipped


def average(original: NDArray[np.floating], flipped: NDArray[np.floating]) -> NDArray[np.floating]:
    """The mean direction of both views, (N, D) of unit length: no view counts more."""
    return unit(unit(original) + unit(flipped))


def norm_weighted_average(original: NDArray[np.floating], flipped: NDArray[np.floating]) -> NDArray[np.floating]:
    """The direction of :func:`flip_sum`, (N, D) of unit length: the length says nothing of the image any more."""
    return unit(original + flipped)


def concatenation(original: NDArray[np.floating], flipped: NDArray[np.floating]) -> NDArray[np.floating]:
    """Both views at unit length side by side, (N, 2 D)."""
    return np.concatenate([unit(original), unit(flipped)], axis=1)


# As AdaFace's IJB program calls them. Only the first keeps lengths, so that they weigh the images of a template.
FUSIONS: Mapping[str, Fusion] = {
    "pre_norm_vector_add": flip_sum,
    "average": average,
    "norm_weighted_avg": norm_weighted_average,
    "concat": concatenation,
}


def fused(
    method: str, original: NDArray[np.floating], flipped: NDArray[np.floating] | None = None
) -> NDArray[np.floating]:
    """Both views of N images joined by ``method``, a key of :data:`FUSIONS`; a single view stays as it is, at unit
    length where the method gives that."""
    if flipped is not None:
        return FUSIONS[method](original, flipped)
    return original if method == "pre_norm_vector_add" else unit(original)


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """The rows at unit length; one of length zero stays."""
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))[:, None]
    return (rows / np.where(lengths == 0.0, 1.0, lengths)).astype(rows.dtype, copy=False)
