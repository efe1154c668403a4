"""What the JSON of every benchmark shares: medians with their spread, and ratios: above 1 means ours is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest of some readings, and how many there were."""
    return {"median": median(values), "min": min(values), "max": max(values), "readings": len(values)}


def quotients(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """``value / other``, turn by turn: both sides of a turn met the same machine.

    For rates give ours first, for seconds and memory the peer's: above 1 then means ours is better.
    """
    return [a / b for a, b in zip(values, others, strict=True)]


def ratios(readings: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """``ratios``, the median of each comparison's quotients, and ``ratio_spread`` with their range, by name."""
    found = {name: spread(values) for name, values in readings.items()}
    return {"ratios": {name: figures["median"] for name, figures in found.items()}, "ratio_spread": found}


def ratio_lines(result: Mapping[str, Any]) -> list[str]:
    """The ratios of a result for people, a line each."""
    return [
        f"{name}: {ratio:.3g} ({result['ratio_spread'][name]['min']:.3g} to {result['ratio_spread'][name]['max']:.3g})"
        for name, ratio in result["ratios"].items()
    ]


def available_memory() -> float:
    """Bytes that the system could give to new processes now."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    return float("inf")


def peak_memory() -> float:
    """Highest resident size of this process in MB. ``getrusage`` would count what the parent held before the start."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")
