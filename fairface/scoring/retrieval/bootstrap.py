"""Confidence intervals of means over queries, by drawing the queries' subjects; the gallery stays as it is.

Queries of one subject are not independent, so subjects are drawn with replacement: one that is drawn w times brings its
queries w times; the interval is Wilson's with the variance over the draws (:mod:`fairface.scoring.bootstrap`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.bootstrap import share_interval, subject_draws
from fairface.scoring.measure import Interval


def query_intervals(
    values: Mapping[str, NDArray[np.floating]], subjects: NDArray[np.integer], rounds: int, level: float, seed: int
) -> dict[str, Interval]:
    """Intervals of the means of ``values`` (Q,), each of one measure, 0 to 1, of the queries of ``subjects (Q,)``;
    none where ``rounds`` is 0."""
    if not rounds:
        return {}
    named, codes = np.unique(subjects, return_inverse=True)
    counts = np.bincount(codes).astype(np.float64)
    sums = np.stack([np.bincount(codes, of.astype(np.float64)) for of in values.values()])
    means = np.stack([sums @ drawn / (counts @ drawn) for drawn in subject_draws(len(named), rounds, seed)])
    found = sums.sum(axis=1) / counts.sum()
    return {key: share_interval(float(found[i]), means[:, i], level, len(named)) for i, key in enumerate(values)}
