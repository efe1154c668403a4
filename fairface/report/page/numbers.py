"""Numbers as the page writes them; ``slider.js`` writes the same ones in the same way."""

from __future__ import annotations

import math
from collections.abc import Callable

from fairface.report.fairness_numbers import MISSING, number_text
from fairface.scoring.fairness.threshold_table import RateSweep


def count_text(value: float) -> str:
    """An expected count: whole from 100 on, three digits below."""
    if math.isnan(value):
        return MISSING
    return f"{math.floor(value + 0.5):,}" if value >= 100 else f"{float(f'{value:.3g}'):g}"


def sweep_text(sweep: RateSweep, place: int, write: Callable[[float], str] = number_text, times: float = 1.0) -> str:
    """The rate at one threshold, and its interval where there is one; all of it ``times`` as much."""
    if sweep.comparisons == 0:
        return MISSING
    value, low, high = (times * float(of[place]) for of in (sweep.value, sweep.low, sweep.high))
    interval = "" if math.isnan(low) or math.isnan(high) else f" [{write(low)}, {write(high)}]"
    return write(value) + interval
