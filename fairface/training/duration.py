"""Lengths of time in words."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60, 3600, 86400


def in_words(seconds: float) -> str:
    """``seconds`` in the unit that people would use: "8.8 s", "42 s", "1 min 20 s", "12 min", "3.4 h", "2.6 days"."""
    whole = round(seconds)
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    if whole < MINUTE:
        return f"{whole} s"
    if whole < 10 * MINUTE:
        minutes, rest = divmod(whole, MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole < 1.5 * HOUR:
        return f"{round(seconds / MINUTE)} min"
    if whole < 2 * DAY:
        return f"{seconds / HOUR:.1f} h"
    return f"{seconds / DAY:.1f} days"
