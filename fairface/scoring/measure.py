"""A number that may be undefined, and an interval around a number."""

from __future__ import annotations

import math
from dataclasses import dataclass

_NO_WIDTH = 1e-12  # rounding errors


@dataclass(frozen=True)
class Measure:
    """A value, or NaN with the reason why there is none."""

    value: float
    reason: str = ""


@dataclass(frozen=True)
class Interval:
    """A confidence interval: ``low`` to ``high`` at ``level``, from ``rounds`` usable rounds of resampling."""

    low: float
    high: float
    level: float
    rounds: int

    @property
    def without_width(self) -> bool:
        """Whether all rounds gave one value: that is no certainty about other subjects."""
        return self.high - self.low < _NO_WIDTH

    def to_dict(self) -> dict[str, float | int | None]:
        """The interval as plain numbers for JSON; an undefined bound is ``None``."""
        return {"low": number(self.low), "high": number(self.high), "level": self.level, "rounds": self.rounds}


def most_within(target: float, total: float) -> int:
    """The largest whole number k with k / ``total`` <= ``target``, free of rounding."""
    k = math.floor(target * total)
    return k + 1 if (k + 1) / total <= target else k


def number(value: float) -> float | None:
    """``value`` for JSON: ``None`` where it is not finite."""
    return float(value) if math.isfinite(value) else None
