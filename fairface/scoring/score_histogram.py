"""How the scores of mated and of non-mated comparisons are distributed, group by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BINS = 60


@dataclass(frozen=True)
class ScoreHistogram:
    """Counts of scores between B + 1 rising ``edges``.

    Attributes:
        edges: (B + 1,).
        groups: G names.
        mated, non_mated: (G, B) counts of comparisons of one subject, and of two.
    """

    edges: NDArray[np.float64]
    groups: tuple[str, ...]
    mated: NDArray[np.int64]
    non_mated: NDArray[np.int64]


def score_histogram(
    scores: NDArray[np.floating], same: NDArray[np.bool_], group: NDArray[np.int64], groups: tuple[str, ...],
    bins: int = _BINS,
) -> ScoreHistogram:  # fmt: skip
    """Counts of ``scores (M,)`` by truth ``same (M,)`` and by ``group (M,)``, 0..G-1, -1 for none of them.

    The bins go from the lowest to the highest finite score of all; scores that are not finite are left out.
    """
    used = np.isfinite(scores)
    values, kind, of_group = np.asarray(scores, np.float64)[used], same[used], group[used]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    counts = []
    for of_kind in (kind, ~kind):
        chosen = of_kind & (of_group >= 0)
        keys = of_group[chosen] * bins + place[chosen]
        counts.append(np.bincount(keys, minlength=len(groups) * bins).reshape(len(groups), bins))
    return ScoreHistogram(edges, groups, *counts)
