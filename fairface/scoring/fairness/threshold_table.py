"""Error rates of every group at many thresholds, each with its interval over subjects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.scoring.fairness.counts import Ints, check_subjects, compact, count_pairs, node_ends
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.grouping import Groups
from fairface.scoring.fairness.rate import cell_interval
from fairface.scoring.fairness.spread import independent_comparisons
from fairface.scoring.fairness.swept_spread import SweptComparisons
from fairface.scoring.measure import number

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RateSweep:
    """One type of error of one group at T thresholds.

    Attributes:
        errors: (T,) int64.
        low, high: (T,) interval over subjects; NaN where it is undefined.
        comparisons: of this kind within the group.
    """

    errors: Ints
    low: Floats
    high: Floats
    comparisons: int

    @property
    def value(self) -> Floats:
        """(T,) rates; NaN without comparisons."""
        return self.errors / self.comparisons if self.comparisons else np.full(len(self.errors), np.nan)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: counts, and interval ends to six digits."""
        ends = {name: [number(float(f"{end:.6g}")) for end in getattr(self, name)] for name in ("low", "high")}
        return {"n": self.comparisons, "errors": self.errors.tolist(), **ends}


@dataclass(frozen=True)
class ThresholdTable:
    """FMR and FNMR of G groups at T thresholds.

    Attributes:
        name: what the groups are made by.
        groups: G names.
        thresholds: (T,) rising.
        operating: which of them is the one in use.
        fmr, fnmr: of the comparisons within each group.
        level: of the intervals.
    """

    name: str
    groups: tuple[str, ...]
    thresholds: Floats
    operating: int
    fmr: tuple[RateSweep, ...]
    fnmr: tuple[RateSweep, ...]
    level: float


def threshold_table(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    groups: Groups,
    thresholds: Floats,
    operating: float,
    level: float = 0.95,
) -> ThresholdTable:
    """Rates at each of the ``thresholds (T,)``, rising, among them ``operating``; scores that are not finite are left
    out, as are comparisons between groups. Rates and intervals are those that
    :func:`fairface.scoring.fairness.assess.assess` gives at each threshold.

    Raises:
        DataError: the subjects contradict the truth.
    """
    values = np.asarray(scores, np.float64)
    of_a, of_b = groups.of_image[comparisons.a], groups.of_image[comparisons.b]
    within = np.where((of_a == of_b) & np.isfinite(values), of_a, -1)
    named = check_subjects(comparisons)
    found: dict[bool, list[RateSweep]] = {True: [], False: []}
    for group in range(len(groups)):
        for genuine, sweeps in found.items():
            chosen = (within == group) & (comparisons.same == genuine)
            sweeps.append(_sweep(values[chosen], select(comparisons, chosen), genuine, thresholds, level, named))
    place = int(np.searchsorted(thresholds, operating))
    return ThresholdTable(groups.name, groups.labels, thresholds, place, tuple(found[False]), tuple(found[True]), level)


def _sweep(
    scores: Floats, part: Comparisons, genuine: bool, thresholds: Floats, level: float, named: bool
) -> RateSweep:
    reached = np.searchsorted(thresholds, scores, side="right")  # so many thresholds at or below each score
    start = reached if genuine else len(thresholds) - reached
    ends = np.stack([part.subject_a, part.subject_b]) if named else np.zeros((2, 0), np.int64)
    spread = SweptComparisons(compact(ends)[1], start, len(thresholds), genuine).spread()

    @cache
    def independent() -> int:
        nodes, first, second = node_ends(part, np.zeros(int(max(part.a.max(), part.b.max())) + 1, np.int64), 1)
        everything = np.ones(len(part), bool)
        return independent_comparisons(count_pairs(nodes, (first, second), np.zeros(len(part)), everything, genuine))

    cells = range(len(thresholds))
    intervals = np.array([cell_interval(spread, cell, level, lambda _: independent()) for cell in cells])
    # Fewer non-mated comparisons match at a higher threshold, so their sweep ran from the highest one down.
    along = slice(None) if genuine else slice(None, None, -1)
    low, high = intervals.reshape(-1, 2)[along].T
    return RateSweep(spread.errors[along].astype(np.int64), low, high, len(part))
