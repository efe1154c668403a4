"""How a model was trained: its losses and what was verified meanwhile, over the steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.report.fairness_numbers import number_text
from fairface.report.page.palette import plain_label, style_of
from fairface.report.page.panel import Drawing, Panel, Table

_POINTS = 400


@dataclass(frozen=True)
class Series:
    """A number at steps, both (S,)."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]


def training_panel(run: str, losses: Mapping[str, Series], verified: Mapping[str, Series]) -> Panel:
    """Curves of ``losses`` and, below, of what was ``verified``, by name; at most 400 points each, the means of as
    many stretches of steps. One of the two must have entries."""
    parts = [(name, of) for name, of in (("loss", losses), ("verification", verified)) if of]

    def draw(figure: Any) -> None:
        rows = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, series) in zip(rows, parts, strict=True):
            for place, (label, of) in enumerate(series.items()):
                thin = thinned(of)
                marker = "o" if len(thin.steps) < 30 else ""
                axes.plot(thin.steps, thin.values, marker=marker, markersize=3, linewidth=1.2,
                          label=plain_label(label), **style_of(place))  # fmt: skip
            axes.set_ylabel(name)
            axes.grid(True, alpha=0.3)
            axes.legend(fontsize="small")
        rows[-1].set_xlabel("step")

    rows = tuple(
        (label, str(len(of.steps)), *(number_text(float(value)) for value in (of.values[0], of.values[-1])))
        for _, series in parts
        for label, of in series.items()
    )
    table = Table(f"Training of {run}", ("what", "entries", "first", "last"), rows)
    told = f"training curves of {run}: {', '.join(name for _, series in parts for name in series)}"
    return Panel("training", f"Training of {run}", (), Drawing(draw, 9, 2.8 * len(parts), told), (table,))


def thinned(of: Series, points: int = _POINTS) -> Series:
    """At most ``points`` of it: the means of stretches of equal length, but for the last one."""
    step = -(-len(of.steps) // points)
    if step <= 1:
        return of
    starts = np.arange(0, len(of.steps), step)
    sizes = np.diff(np.append(starts, len(of.steps)))
    means = np.add.reduceat(of.values, starts) / sizes
    return Series(of.steps[np.minimum(starts + sizes - 1, len(of.steps) - 1)], means)
