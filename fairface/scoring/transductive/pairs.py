"""Pairs of images with a score each, checked: what every step here takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def checked_pairs(
    a: NDArray[np.integer], b: NDArray[np.integer], scores: NDArray[np.floating]
) -> tuple[Ints, Ints, Floats]:
    """``a (M,)``, ``b (M,)`` and ``scores (M,)`` as int64, int64 and float64.

    Raises:
        DataError: other lengths, a negative position, or a score that is not finite (counted; the first is named).
    """
    first, second = np.asarray(a, np.int64), np.asarray(b, np.int64)
    values = np.asarray(scores, np.float64)
    if first.ndim != 1 or first.shape != second.shape or first.shape != values.shape:
        raise DataError(f"{first.shape} and {second.shape} images with {values.shape} scores; give one each")
    if len(first) and min(first.min(), second.min()) < 0:
        raise DataError("a pair names an image below 0; positions in the list of images count from 0")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"{len(bad)} of {quantity(len(values), 'score')} {agree(len(bad), 'is', 'are')} not finite (first: pair "
            f"{bad[0]}); other pairs' scores would depend on them: correct them or remove these pairs"
        )
    return first, second, values
