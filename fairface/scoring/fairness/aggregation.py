"""From the areas of the challenge's cells to one number, in ways that have names of their own: none is official.

Areas are (..., L, K) of L legitimate cells and K groups, NaN where a cell is too small; weights (..., L).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fairface.scoring.fairness.counts import Floats


def one_sided(areas: Floats, weights: Floats) -> Floats:
    """Largest over ordered pairs of groups of the mean of max(0, difference): areas (..., L, K) to (...,)."""
    found = [
        _mean(np.maximum(areas[..., i] - areas[..., j], 0.0), weights)
        for i in range(areas.shape[-1]) for j in range(areas.shape[-1]) if i != j
    ]  # fmt: skip
    return _largest(np.stack(found, axis=-1)) if found else np.full(areas.shape[:-2], np.nan)


def ranges(areas: Floats, weights: Floats) -> Floats:
    """Mean over legitimate cells of the largest difference between groups."""
    return _mean(_range(areas), weights)


def worst_cell(areas: Floats, weights: Floats) -> Floats:
    """Largest difference between groups within a legitimate cell."""
    return _largest(_range(areas))


def _range(areas: Floats) -> Floats:
    two = np.isfinite(areas).sum(axis=-1) >= 2
    filled = np.where(np.isfinite(areas), areas, -np.inf).max(axis=-1)
    lowest = np.where(np.isfinite(areas), areas, np.inf).min(axis=-1)
    return np.subtract(filled, lowest, where=two, out=np.full(two.shape, np.nan))


def _mean(values: Floats, weights: Floats) -> Floats:
    used = np.where(np.isfinite(values), weights, 0.0)
    total = used.sum(axis=-1)
    summed = (np.nan_to_num(values) * used).sum(axis=-1)
    return np.divide(summed, total, where=total > 0, out=np.full(np.shape(total), np.nan))


def _largest(values: Floats) -> Floats:
    some = np.isfinite(values).any(axis=-1)
    return np.asarray(np.where(some, np.where(np.isfinite(values), values, -np.inf).max(axis=-1), np.nan))


AGGREGATIONS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "one_sided": one_sided, "range": ranges, "worst_cell": worst_cell,
}  # fmt: skip
