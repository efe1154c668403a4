"""Error rates of cells: intervals, reasons where they are undefined, and what it would take to know more."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from fairface.scoring.fairness.counts import Ints
from fairface.scoring.fairness.difference import ALIKE
from fairface.scoring.fairness.interval import rate_interval
from fairface.scoring.fairness.spread import Spread
from fairface.scoring.measure import number

_FEWEST_IMPOSTORS = 4  # subjects: with fewer, any two comparisons share one


@dataclass(frozen=True)
class Rate:
    """An error rate.

    Attributes:
        value: errors / comparisons; NaN with a ``reason`` where there are no comparisons.
        low, high: interval at ``level`` over subjects; NaN with a ``reason`` where it is undefined.
        errors, comparisons, subjects: counts behind it; subjects is 0 where they are not named.
    """

    value: float
    low: float
    high: float
    level: float
    errors: int
    comparisons: int
    subjects: int
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        result: dict[str, Any] = {key: number(getattr(self, key)) for key in ("value", "low", "high", "level")}
        counts = {"errors": self.errors, "comparisons": self.comparisons, "subjects": self.subjects}
        return result | counts | {"reason": self.reason}


def rate_of_cell(spread: Spread, cell: int, level: float, what: str, independent: Callable[[int], int]) -> Rate:
    """The rate of ``cell``; ``what`` names the comparisons.

    ``independent`` tells how many comparisons of a cell can be picked so that no two share a subject
    (:func:`fairface.scoring.fairness.spread.independent_comparisons`).
    """
    total, errors, subjects = int(spread.comparisons[cell]), int(spread.errors[cell]), int(spread.subjects[cell])
    if total == 0:
        return Rate(math.nan, math.nan, math.nan, level, 0, 0, subjects, f"no {what} comparisons")
    low, high = cell_interval(spread, cell, level, independent)
    reason = ""
    if math.isnan(low):
        reason = "the comparisons name no subjects, so there is no confidence interval over subjects"
        if subjects:
            reason = "one subject only"
        if subjects > 1:
            reason = f"{subjects} subjects are too few for a confidence interval over subjects"
        if subjects >= _FEWEST_IMPOSTORS and not spread.genuine:
            reason = "one subject is in every comparison, so nothing tells how far others in its place would differ"
        if 0 < errors < total and spread.variance[cell] == 0:
            reason = ALIKE
    return Rate(float(spread.rate[cell]), low, high, level, errors, total, subjects, reason)


def cell_interval(spread: Spread, cell: int, level: float, independent: Callable[[int], int]) -> tuple[float, float]:
    """:func:`rate_interval`, counting independent comparisons where a cell has no error or nothing but errors."""
    picked = None
    if spread.comparisons[cell] and spread.errors[cell] in (0, spread.comparisons[cell]):
        picked = independent(cell)
        if spread.subjects[cell] < (2 if spread.genuine else _FEWEST_IMPOSTORS):
            picked = None  # one subject, or one pair of subjects: nothing to tell subjects' differences by
    return rate_interval(spread, cell, level, picked)


@dataclass(frozen=True)
class Planning:
    """What can be seen of the difference between one group and all others together.

    Attributes:
        others: the others' pooled rate; NaN where there are none.
        detectable: the smallest true difference that would be found with the chance ``power``.
        target: the difference that ``subjects_needed`` is about.
        subjects_needed: subjects of this group, as well photographed as these, that would show ``target``; infinite
            where the others are too few as well; NaN where it is undefined.
        times_all: how many times as many subjects in all groups alike would show it.
        reason: why something is undefined.
    """

    others: float
    detectable: float
    target: float
    subjects_needed: float
    times_all: float
    power: float
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        keys = ("others", "detectable", "target", "subjects_needed", "times_all", "power")
        return {key: number(getattr(self, key)) for key in keys} | {"reason": self.reason}


def plan(spread: Spread, cell: int, others: Ints, level: float, power: float, target: float | None) -> Planning:
    """Planning for ``cell`` against the cells ``others``; ``target`` is the observed difference unless given."""
    rest = others[(spread.comparisons[others] > 0) & np.isfinite(spread.variance[others])]
    if spread.comparisons[cell] == 0 or not np.isfinite(spread.variance[cell]) or len(rest) == 0:
        reason = "the spread between subjects is undefined here or in all other groups"
        return Planning(math.nan, math.nan, math.nan, math.nan, math.nan, power, reason)
    weights = spread.comparisons[rest] / spread.comparisons[rest].sum()
    pooled = float(weights @ spread.rate[rest])
    of_rest = float(weights**2 @ spread.variance[rest])
    own = float(spread.variance[cell])
    if own == 0:  # no error seen: as if it had the others' rate and each subject's comparisons came out alike
        own = pooled * (1.0 - pooled) / spread.subjects[cell]
    step = float(stats.norm.ppf((1.0 + level) / 2.0) + stats.norm.ppf(power))
    if own + of_rest == 0:
        reason = "every comparison of every group is an error" if pooled == 1 else "there is no error in any group"
        return Planning(pooled, math.nan, math.nan, math.nan, math.nan, power, reason)
    wanted = abs(float(spread.rate[cell]) - pooled) if target is None else target
    room = (wanted / step) ** 2 - of_rest
    needed = math.ceil(spread.subjects[cell] * own / room) if room > 0 else math.inf
    detectable = step * math.sqrt(own + of_rest)
    times = (detectable / wanted) ** 2 if wanted > 0 else math.inf
    reason = "" if room > 0 else "more subjects in this group alone are not enough: other groups vary too much as well"
    return Planning(pooled, detectable, wanted, float(needed), times, power, reason)
