"""FMR between any two groups."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fairface.report.fairness_numbers import number_text, rate_text
from fairface.report.page.panel import Drawing, Panel, Table
from fairface.scoring.fairness.result import GroupingResult

_DARK = 0.55  # cells above this share of the scale have white text
_UPRIGHT = 3  # so many names stand side by side


def heat_map_panel(of: GroupingResult, key: str, title: str) -> Panel:
    """FMR of comparisons of a person of the row's group with one of the column's; each cell says its number."""
    labels = tuple(row.group for row in of.rows)
    rates = np.array([[rate.value for rate in line] for line in of.fmr_matrix]).reshape(len(labels), len(labels))

    def draw(figure: Any) -> None:
        from matplotlib.colors import LogNorm

        axes = figure.subplots()
        seen = rates[np.isfinite(rates) & (rates > 0)]
        scale = LogNorm(seen.min() / 2, seen.max() * 1.0001) if len(seen) else None
        masked = np.ma.masked_invalid(np.where(rates > 0, rates, np.nan))
        axes.pcolormesh(masked, cmap="cividis_r", norm=scale, edgecolors="white", linewidth=1)
        for row, column in np.ndindex(rates.shape):
            value = rates[row, column]
            shade = float(scale(value)) if scale is not None and value > 0 else 0.0
            colour = "white" if shade > _DARK else "black"
            axes.text(column + 0.5, row + 0.5, number_text(float(value)), ha="center", va="center", color=colour)
        places = (np.arange(len(labels)) + 0.5).tolist()
        slanted = {"rotation": 30, "ha": "right"} if len(labels) > _UPRIGHT else {}
        axes.set_xticks(places, labels, parse_math=False, **slanted)
        axes.set_yticks(places, labels, parse_math=False)
        axes.invert_yaxis()
        axes.set(xlabel="group of one person", ylabel="group of the other")

    size = 3.0 + 0.75 * len(labels)
    lines = (
        f"FMR at the evaluated threshold; darker is higher, on a logarithmic scale. {_worst(of)} "
        "n/a: no such comparison.",
    )
    told = f"heat map of FMR between {len(labels)} groups; the table gives every cell with its interval"
    rows = tuple(
        (label, *(rate_text(rate) for rate in line)) for label, line in zip(labels, of.fmr_matrix, strict=True)
    )
    drawing = Drawing(draw, min(size + 1, 10), min(size * 0.7 + 0.6, 8), told) if labels else None
    return Panel(key, title, lines, drawing, (Table(title, ("group", *labels), rows),))


def _worst(of: GroupingResult) -> str:
    found = [
        (rate.value, f"{of.rows[row].group} with {of.rows[column].group}")
        for row, line in enumerate(of.fmr_matrix)
        for column, rate in enumerate(line)
        if column >= row and not math.isnan(rate.value)
    ]
    if not found:
        return ""
    value, names = max(found, key=lambda one: one[0])
    return f"Highest: {names}, {number_text(value)}."
