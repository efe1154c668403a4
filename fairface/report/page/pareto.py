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

NOTHING = "Nothing can be drawn: no stage has both numbers."


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
    in the table only, which is all there is where every stage is undefined."""
    accuracies, gaps = (np.array([getattr(stage, name) for stage in stages], float) for name in ("accuracy", "gap"))
    best = pareto_front(accuracies, -gaps)
    shown = np.flatnonzero(np.isfinite(accuracies) & np.isfinite(gaps))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(gaps[shown], accuracies[shown], color="0.6", linewidth=1, zorder=1)
        for place in shown:
            _draw_stage(axes, stages[place], int(place), bool(best[place]))
        axes.set(xlabel=gap, ylabel=accuracy)
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize="small")

    rows = tuple(
        (stage.name, number_text(stage.accuracy), number_text(stage.gap), interval_text(stage.low, stage.high),
         "yes" if kept else "no")
        for stage, kept in zip(stages, best, strict=True)
    )  # fmt: skip
    header = ("stage", accuracy, gap, "interval of the gap", "no other is better in both")
    lines = ("Up and to the left is better. Filled: no other stage is better in one of the two and as good in the "
             "other. The line joins the stages in their order; bars are intervals over subjects.",
             *_on_one_point([stages[place] for place in shown]))  # fmt: skip
    told = f"{accuracy} against {gap} of {', '.join(stage.name for stage in stages)}"
    title = f"Accuracy against the {gap}"
    table = Table(title, header, rows)
    if not len(shown):
        return Panel(key, title, (NOTHING,), tables=(table,))
    return Panel(key, title, lines, Drawing(draw, 7, 4.5, told), (table,))


def _on_one_point(stages: Sequence[Stage]) -> list[str]:
    """Sentences about stages that hide each other."""
    places: dict[tuple[float, float], list[str]] = {}
    for stage in stages:
        places.setdefault((stage.accuracy, stage.gap), []).append(stage.name)
    return [f"On one point: {', '.join(names)}." for names in places.values() if len(names) > 1]


def _draw_stage(axes: Any, stage: Stage, place: int, best: bool) -> None:
    colour = COLOURS[place % len(COLOURS)]
    ends: NDArray[np.float64] | None = None
    if np.isfinite([stage.low, stage.high]).all():
        ends = np.maximum(np.array([[stage.gap - stage.low], [stage.high - stage.gap]]), 0.0)
    axes.errorbar(
        [stage.gap], [stage.accuracy], xerr=ends, marker=marker_of(place), color=colour, markersize=8, capsize=3,
        markerfacecolor=colour if best else "white", linestyle="none", label=plain_label(stage.name),
    )  # fmt: skip
