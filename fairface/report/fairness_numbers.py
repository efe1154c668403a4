"""Rates, intervals and numbers of a fairness report as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairface.scoring.fairness.rate import Rate

MISSING = "n/a"


def rate_text(rate: Rate) -> str:
    """A rate with its interval."""
    if math.isnan(rate.value):
        return MISSING
    return f"{number_text(rate.value)} {interval_text(rate.low, rate.high)}".removesuffix(f" {MISSING}")


def interval_text(low: float, high: float) -> str:
    """[low, high]; an infinite end is written so."""
    if math.isnan(low) or math.isnan(high):
        return MISSING
    return f"[{number_text(low)}, {number_text(high)}]"


MANY_TIMES = 1000  # as many more people are out of reach; the digits would claim to know


def times_text(times: float) -> str:
    """How many times as many people: "2.5", "more than 1000"."""
    return f"more than {MANY_TIMES}" if times > MANY_TIMES else number_text(times)


def number_text(value: float) -> str:
    """Four significant digits, never in the notation with e for what is not tiny."""
    if math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    if 9999.5 <= abs(value) < math.inf:  # four digits would need the notation with e
        return f"{value:.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 or math.isinf(value) else f"{value:.2e}"
