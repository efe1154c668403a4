"""Which comparisons go wrong by the most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def worst_errors(
    scores: NDArray[np.floating], same: NDArray[np.bool_], threshold: float, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of up to ``count`` false matches, the highest score first, and of as many false non-matches, the lowest
    first. Equal scores stay in their order; scores that are not finite are passed over.
    """
    values = np.asarray(scores, np.float64)
    false_matches = np.flatnonzero(~same & np.isfinite(values) & (values >= threshold))
    false_non_matches = np.flatnonzero(same & np.isfinite(values) & (values < threshold))
    highest = false_matches[np.argsort(-values[false_matches], kind="stable")]
    lowest = false_non_matches[np.argsort(values[false_non_matches], kind="stable")]
    return highest[:count], lowest[:count]
