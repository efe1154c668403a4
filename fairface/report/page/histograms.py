"""Scores of mated and non-mated comparisons, one small histogram for each group."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.report.fairness_numbers import number_text
from fairface.report.page.palette import MATED, NON_MATED
from fairface.report.page.panel import Drawing, Panel, Table
from fairface.scoring.score_histogram import ScoreHistogram

_MARGINS = (0.85, 0.6, 0.1, 0.3, 0.2, 0.45)
_QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)


def histogram_panel(of: ScoreHistogram, threshold: float | None, key: str, title: str) -> Panel:
    """Densities, so that kinds and groups of unlike size can be compared; the ``threshold`` is a line, where
    there is one."""
    columns = min(len(of.groups), 3) or 1
    rows = max(math.ceil(len(of.groups) / columns), 1)

    def draw(figure: Any) -> None:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for place, axes in enumerate(grid):
            if place < len(of.groups):
                _draw_group(axes, of, place, threshold)
                axes.tick_params(labelbottom=place + columns >= len(of.groups))  # nothing stands below it
            else:
                axes.set_visible(False)
        if of.groups:
            grid[0].legend(fontsize="small", frameon=False)
        figure.supxlabel("score")
        figure.supylabel("density", x=0.01)  # the numbers at the axis may have four characters

    told = f"histograms of scores of mated and non-mated comparisons in {len(of.groups)} groups"
    lines = ("Mated: two images of one person. Non-mated: of two people. Each curve has the same area.",)
    return Panel(key, title, lines, Drawing(draw, 9, max(2.2 * rows, 3.2), told, _MARGINS), (_table(of),))


def _draw_group(axes: Any, of: ScoreHistogram, place: int, threshold: float | None) -> None:
    for counts, colour, hatch, name in (
        (of.non_mated[place], NON_MATED, "////", "non-mated"), (of.mated[place], MATED, "", "mated"),
    ):  # fmt: skip
        if counts.sum():
            density = counts / (counts.sum() * np.diff(of.edges))
            axes.stairs(density, of.edges, color=colour, label=name, linestyle="--" if hatch else "-", linewidth=1.4)
            axes.stairs(density, of.edges, color=colour, fill=True, alpha=0.15)
        else:
            axes.plot([], [], color=colour, label=f"no {name} comparisons")
    if threshold is not None:
        axes.axvline(threshold, color="black", linewidth=1, linestyle=":", label="threshold")
    axes.set_title(of.groups[place], parse_math=False)


def _table(of: ScoreHistogram) -> Table:
    header = ("group", "comparisons", "number", *(f"{share:.0%} quantile" for share in _QUANTILES))
    rows = [
        (group, kind, f"{counts[place].sum()}", *(number_text(_quantile(counts[place], of.edges, share))
                                                  for share in _QUANTILES))
        for place, group in enumerate(of.groups)
        for kind, counts in (("mated", of.mated), ("non-mated", of.non_mated))
    ]  # fmt: skip
    return Table("Scores by group, as exactly as the bins of the figure tell", header, tuple(rows))


def _quantile(counts: NDArray[np.int64], edges: NDArray[np.float64], share: float) -> float:
    """Where ``share`` of the counts lie below, on a straight line within a bin; NaN without counts."""
    total = counts.sum()
    if total == 0:
        return math.nan
    return float(np.interp(share * total, np.concatenate([[0], np.cumsum(counts)]), edges))
