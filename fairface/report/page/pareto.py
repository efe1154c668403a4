"""Accuracy against the gap between groups, over several models: such as the stages of a finetuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.report.fairness_numbers import interval_text, number_text
from fairface.report.page.palette import COLOURS, marker_of, plain_label
from fairface.report.page.panel import Drawing, Panel, Table
from fairface.scoring.fairness.pareto import pareto_front


@dataclass(frozen=True)
class Stage:
    """One model.

    Attributes:
        name: of it.
        accuracy: higher is better; which one, the panel says.
        gap: between groups; lower is better.
        low, high: interval of the gap; NaN without.
    """

    name: str
    accuracy: float
    gap: float
    low: float
    high: float


def pareto_panel(stages: Sequence[Stage], accuracy: str, gap: str, key: str = "pareto") -> Panel:
    """Each stage as a point, joined in their order; ``accuracy`` and ``gap`` name the axes. Undefined ones are listed
    in the table only."""
    accuracies, gaps = (np.array([getattr(stage, name) for stage in stages], float) for name in ("accuracy", "gap"))
    best = pareto_front(accuracies, -gaps)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        shown = np.flatnonzero(np.isfinite(accuracies) & np.isfinite(gaps))
        axes.plot(gaps[shown], accuracies[shown], color="0.6", linewidth=1, zorder=1)
        for place in shown:
            _draw_stage(axes, stages[place], int(place), bool(best[place]))
        axes.set(xlabel=gap, ylabel=accuracy)
        axes.grid(True, alpha=0.3)
        if len(shown):
            axes.legend(fontsize="small")

    rows = tuple(
        (stage.name, number_text(stage.accuracy), number_text(stage.gap), interval_text(stage.low, stage.high),
         "yes" if kept else "no")
        for stage, kept in zip(stages, best, strict=True)
    )  # fmt: skip
    header = ("stage", accuracy, gap, "interval of the gap", "no other is better in both")
    lines = ("Up and to the left is better. Filled: no other stage is better in one of the two and as good in the "
             "other. The line joins the stages in their order; bars are intervals over subjects.",)  # fmt: skip
    told = f"{accuracy} against {gap} of {', '.join(stage.name for stage in stages)}"
    title = f"Accuracy against the {gap}"
    return Panel(key, title, lines, Drawing(draw, 7, 4.5, told), (Table(title, header, rows),))


def _draw_stage(axes: Any, stage: Stage, place: int, best: bool) -> None:
    colour = COLOURS[place % len(COLOURS)]
    ends: NDArray[np.float64] | None = None
    if np.isfinite([stage.low, stage.high]).all():
        ends = np.maximum(np.array([[stage.gap - stage.low], [stage.high - stage.gap]]), 0.0)
    axes.errorbar(
        [stage.gap], [stage.accuracy], xerr=ends, marker=marker_of(place), color=colour, markersize=8, capsize=3,
        markerfacecolor=colour if best else "white", linestyle="none", label=plain_label(stage.name),
    )  # fmt: skip
