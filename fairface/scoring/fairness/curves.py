"""ROC and DET of each group, with bands over subjects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.bootstrap import bootstrap_intervals
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.measure import Interval, number
from fairface.scoring.roc import Roc, auc, roc_curve, tar_at_fmr

DEFAULT_GRID = tuple(float(value) for value in np.geomspace(1e-4, 0.5, 25))


@dataclass(frozen=True)
class GroupCurve:
    """The curve of the comparisons within one group; here every FMR is the group's own.

    Attributes:
        group: its name.
        roc: every point of the curve; ``None`` with a ``reason`` where one kind of comparison is missing.
        fmr: (T,) where TAR was looked up; FNMR = 1 - TAR.
        tar: (T,) NaN where the group has fewer than 1 / FMR impostor comparisons.
        low, high: (T,) band of TAR, NaN without.
        auc: area under the curve.
        auc_interval: of it; ``None`` without.
        reason: why something is missing.
    """

    group: str
    roc: Roc | None
    fmr: NDArray[np.float64]
    tar: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    auc: float
    auc_interval: Interval | None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        points = {name: [number(value) for value in getattr(self, name)] for name in ("fmr", "tar", "low", "high")}
        interval = None if self.auc_interval is None else self.auc_interval.to_dict()
        return {"group": self.group, "auc": number(self.auc), "auc_interval": interval, **points, "reason": self.reason}


def group_curves(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    attributes: Sequence[str],
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    grid: Sequence[float] = DEFAULT_GRID,
) -> list[GroupCurve]:
    """The curve of each group by ``attributes`` together; ``rounds`` of drawing subjects make the bands, 0 none.

    Scores that are not finite are left out.

    Raises:
        DataError: see :func:`fairface.scoring.fairness.grouping.group_images`.
    """
    groups = group_images(comparisons, attributes)
    of_a, of_b = groups.of_image[comparisons.a], groups.of_image[comparisons.b]
    usable = np.isfinite(scores)
    curves = []
    for code, label in enumerate(groups.labels):
        inside = usable & (of_a == code) & (of_b == code)
        part = select(comparisons, inside)
        curves.append(_curve(label, np.asarray(scores, np.float64)[inside], part, rounds, level, seed, grid))
    return curves


def _curve(
    label: str, scores: NDArray[np.float64], part: Comparisons, rounds: int, level: float, seed: int,
    grid: Sequence[float],
) -> GroupCurve:  # fmt: skip
    fmr, nothing = np.array(grid, np.float64), np.full(len(grid), np.nan)
    if part.genuine == 0 or part.impostor == 0:
        reason = f"{part.genuine} genuine and {quantity(part.impostor, 'impostor comparison')}"
        return GroupCurve(label, None, fmr, nothing, nothing, nothing, math.nan, None, reason)
    roc = roc_curve(scores, part.same)
    tar = np.array([tar_at_fmr(roc, target).value for target in grid])
    low, high, interval, reason = nothing.copy(), nothing.copy(), None, ""
    told = np.flatnonzero(np.isfinite(tar))
    if rounds:
        try:
            interval, bands = bootstrap_intervals(scores, part, fmr[told].tolist(), rounds, level, seed)
            low[told], high[told] = [band.low for band in bands], [band.high for band in bands]
        except DataError as error:
            reason = str(error)
    return GroupCurve(label, roc, fmr, tar, low, high, auc(roc), interval, reason)
