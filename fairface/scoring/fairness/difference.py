"""A number of two models and its difference, with the verdict: better, worse, or not distinguishable."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from fairface.quantity import agree, quantity
from fairface.scoring.measure import number

AS_GIVEN = (
    "intervals take both thresholds as given: where an FMR set them, other people would have set others, with other "
    "rates, so a verdict is about these two thresholds"
)
BETTER, WORSE, UNCLEAR = "better", "worse", "not distinguishable"
ALIKE = "all subjects come out alike, so nothing tells how far other subjects would differ"
_NOTHING = 1e-12  # a difference or a width of rounding errors


@dataclass(frozen=True)
class Difference:
    """A number after, less the same number before.

    Attributes:
        before, after: the two; NaN where undefined.
        value, low, high: their difference and its interval.
        verdict: ``better``, ``worse`` or ``not distinguishable``.
        reason: why something is undefined, or why there is no verdict.
    """

    before: float
    after: float
    value: float
    low: float
    high: float
    verdict: str
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        numbers = {key: number(getattr(self, key)) for key in ("before", "after", "value", "low", "high")}
        return {**numbers, "verdict": self.verdict, "reason": self.reason}


@dataclass(frozen=True)
class PairedCounts:
    """How many comparisons a change rests on: those that both models scored.

    Attributes:
        total: comparisons.
        unscored_before, unscored_after: of these, without a score of the model before, and of the one after.
        compared: with a score of both.
    """

    total: int
    unscored_before: int
    unscored_after: int
    compared: int

    def __str__(self) -> str:
        return (
            f"{self.compared} of {quantity(self.total, 'comparison')} {agree(self.compared, 'is', 'are')} compared: "
            f"{self.unscored_before} {agree(self.unscored_before, 'has', 'have')} no score before, "
            f"{self.unscored_after} none after"
        )


@dataclass(frozen=True)
class Change:
    """What changed in one grouping: FNMR and FMR of each group, and each scalar; ``counts`` where comparisons without a
    score were left out."""

    name: str
    fnmr: dict[str, Difference]
    fmr: dict[str, Difference]
    scalars: dict[str, Difference]
    counts: PairedCounts | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the verdicts must know."""
        each = [of for part in (self.fnmr, self.fmr, self.scalars) for of in part.values()]
        judged = sum(not (math.isnan(of.low) or of.reason) for of in each)
        if judged == 0:
            return ()
        several = (
            f"{judged} verdicts, each for itself: the more there are, the more likely that one says better or worse by "
            "chance"
        )
        return (several, AS_GIVEN) if judged > 1 else (AS_GIVEN,)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        parts = {"fnmr": self.fnmr, "fmr": self.fmr, "measures": self.scalars}
        told: dict[str, Any] = {part: {key: one.to_dict() for key, one in of.items()} for part, of in parts.items()}
        told["notes"] = list(self.notes)
        return told if self.counts is None else {**told, "comparisons": asdict(self.counts)}


def few_subjects(subjects: int, least: int) -> str:
    """Why there is no verdict; empty where there are enough."""
    return "" if subjects >= least else f"{quantity(subjects, 'subject')}; a verdict needs {least}"


def difference(
    before: float, after: float, low: float, high: float, worse_when_larger: bool = True, reason: str = "",
    no_verdict: str = "",
) -> Difference:  # fmt: skip
    """The difference of two numbers with the interval ``low`` to ``high``, and what it says.

    An undefined difference has no interval. Nor has a difference that is not 0 whose interval has no width: it would
    claim certainty. ``no_verdict`` says why an interval that leaves out 0 decides nothing.
    """
    value, width = float(after - before), high - low
    if math.isnan(value):
        low = high = math.nan
    elif width <= _NOTHING < abs(value):
        low, high, reason = math.nan, math.nan, reason or ALIKE
    verdict = UNCLEAR
    if width > _NOTHING and (low > 0 or high < 0):
        verdict = UNCLEAR if no_verdict else WORSE if (low > 0) == worse_when_larger else BETTER
        reason = reason or no_verdict
    return Difference(float(before), float(after), value, float(low), float(high), verdict, reason)
