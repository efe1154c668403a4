"""How far a group's scores are shifted from those of all other groups, in standard deviations.

ISO/IEC 19795-10 calls this a comparison score differential, of mated (genuine) or non-mated (impostor) comparisons. It
needs no threshold, so it shows differences that no error has come of yet. The number here is the difference between the
mean scores within the group and within all other groups, divided by the standard deviation of scores within groups, as
Cohen's d. The standard's text was not at hand: this form is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.scoring.fairness.counts import Floats, PairCounts
from fairface.scoring.fairness.spread import Spread, spread
from fairface.scoring.measure import number

_TINY = 1e-20  # what rounding leaves of the variance of equal scores
NO_SPREAD = "all pairs are counted by score, not listed: no interval"


@dataclass(frozen=True)
class ScoreDifferential:
    """One group's scores of one kind of comparison against those of all other groups.

    Attributes:
        mean: of the scores within the group.
        value: (mean - mean of the others) / standard deviation within groups; NaN where undefined.
        low, high: interval of ``value`` over subjects, the standard deviation taken as known; NaN where it is
            undefined. It treats the subjects of two groups as different people.
        reason: why something is undefined.
    """

    mean: float
    value: float
    low: float = math.nan
    high: float = math.nan
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: number(getattr(self, key)) for key in ("mean", "value", "low", "high")} | {"reason": self.reason}


@dataclass(frozen=True)
class ScoreSums:
    """Scores within K groups, summed: all (K,) float64."""

    comparisons: Floats
    total: Floats
    squares: Floats

    @classmethod
    def of(cls, scores: NDArray[np.floating], group: NDArray[np.integer], groups: int) -> ScoreSums:
        """Of ``scores (M,)``, ``group (M,)`` being the group of each comparison, -1 none."""
        kept = group >= 0
        found = np.asarray(scores, np.float64)[kept]
        each = (None, found, found**2)
        return cls(*(np.bincount(group[kept], values, groups).astype(np.float64) for values in each))

    @property
    def deviation(self) -> float:
        """Standard deviation of scores around the mean of their group; NaN where they do not vary."""
        if not self.comparisons.sum():
            return math.nan
        means = self.total / np.maximum(self.comparisons, 1.0)
        variance = float((self.squares - self.total * means).sum() / self.comparisons.sum())
        return math.sqrt(variance) if variance > _TINY else math.nan

    def differentials(self, reason: str = "") -> list[ScoreDifferential]:
        """Of every group, without intervals, for the ``reason``."""
        deviation, found = self.deviation, []
        with np.errstate(invalid="ignore", divide="ignore"):
            means = self.total / self.comparisons
            others = (self.total.sum() - self.total) / (self.comparisons.sum() - self.comparisons)
        for mean, other in zip(means.tolist(), others.tolist(), strict=True):
            why = _reason(mean, other, deviation) or reason
            found.append(ScoreDifferential(mean, (mean - other) / deviation, reason=why))
        return found


def _reason(mean: float, other: float, deviation: float) -> str:
    if math.isnan(mean):
        return "no comparisons"
    if math.isnan(other):
        return "no comparisons in any other group"
    return "all scores of a group are equal" if math.isnan(deviation) else ""


def score_differentials(sums: ScoreSums, scored: PairCounts, level: float) -> list[ScoreDifferential]:
    """Of every group, with intervals over subjects at ``level``.

    ``scored`` are the comparisons of ``sums`` by pairs of nodes, their ``errors`` being sums of scores.
    """
    group = scored.nodes.group[scored.first]
    result = []
    for place, one in enumerate(sums.differentials()):
        halves = spread(scored, (group != place).astype(np.int64), 2)
        result.append(_with_interval(one, halves, sums.deviation, level))
    return result


def _with_interval(one: ScoreDifferential, halves: Spread, deviation: float, level: float) -> ScoreDifferential:
    """By Welch's t interval: the two means vary on their own."""
    if math.isnan(one.value):
        return one
    variances = halves.variance
    if not np.isfinite(variances).all() or not variances.sum() > 0:
        reason = "too few subjects, or they are not named: no interval"
        return ScoreDifferential(one.mean, one.value, reason=reason)
    freedom = variances.sum() ** 2 / (variances**2 / halves.degrees_of_freedom).sum()
    half = float(stats.t.ppf((1.0 + level) / 2.0, freedom)) * math.sqrt(variances.sum()) / deviation
    return ScoreDifferential(one.mean, one.value, one.value - half, one.value + half)
