"""Thresholds worth looking at: where the rates of errors change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEFAULT_THRESHOLDS = 200


def threshold_grid(
    scores: NDArray[np.float64], same: NDArray[np.bool_], always: float, size: int = DEFAULT_THRESHOLDS
) -> NDArray[np.float64]:
    """(T,) float64 rising, T <= ``size``: ``always`` and observed ``scores (M,)``, all of them finite.

    Half of the thresholds let a share of the non-mated comparisons match that grows by equal factors, from a single
    one to all of them; at the other half the share of mated comparisons that do not match grows in the same way. So
    small rates, which a scale of equal steps would skip, have as many thresholds as large ones. Scores may repeat,
    which leaves fewer thresholds. One kind of comparison may be missing.
    """
    falling = -np.sort(-scores[~same])
    rising = np.sort(scores[same])
    each = max((size - 1) // 2, 1)
    chosen = [of[_places(len(of), each)] for of in (falling, rising)]
    return np.unique(np.concatenate([*chosen, [always]]))


def _places(count: int, wanted: int) -> NDArray[np.int64]:
    """Up to ``wanted`` places among ``count`` sorted scores, from the first to the last by equal factors."""
    if count == 0:
        return np.zeros(0, np.int64)
    return np.unique(np.ceil(np.geomspace(1, count, wanted) - 1e-9).astype(np.int64) - 1)
