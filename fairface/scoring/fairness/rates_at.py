"""The error rates of groups at any threshold, of the same comparisons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.counts import Floats, Ints

GroupRatesAt = dict[str, NDArray[np.float64]]


def rates_at(
    scores: Floats, same: NDArray[np.bool_], within: Ints, groups: int, thresholds: NDArray[np.float64]
) -> GroupRatesAt:
    """``fnmr`` and ``fmr`` (R, groups) of comparisons within groups, at each of ``thresholds (R,)``.

    ``within (M,)`` is the group of both images, -1 where they are of two. NaN without comparisons, and where a
    threshold is NaN.
    """
    found = {name: np.full((len(thresholds), groups), np.nan) for name in ("fnmr", "fmr")}
    for group in range(groups):
        inside = within == group
        for name, kind in (("fnmr", same), ("fmr", ~same)):
            rising = np.sort(scores[inside & kind])
            if len(rising):
                below = np.searchsorted(rising, thresholds, side="left") / len(rising)
                found[name][:, group] = below if name == "fnmr" else 1.0 - below
    return {name: np.where(np.isnan(thresholds)[:, None], np.nan, rates) for name, rates in found.items()}
