"""Accuracy on the five sets as one table, in the form of the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Ends = tuple[float, float]
Cell = tuple[float, Ends]  # accuracy and its interval
MISSING = "n/a"
AVERAGE = "AVG"


def five_sets_rows(
    rows: Mapping[str, Mapping[str, Cell]], averages: Mapping[str, Cell | None], five: Sequence[str],
    further: Sequence[str] = (), level: float = 0.95,
) -> tuple[list[str], list[list[str]]]:  # fmt: skip
    """Header, and a row for each model and one below with the intervals at ``level``.

    Args:
        rows: model to title to accuracy and interval; a title that is not there is n/a.
        averages: model to the mean over those of the five that are there.
        five: the titles of the average, in order.
        further: titles behind the average, shown where a model has them.
        level: confidence level.
    """
    shown = [title for title in further if any(title in cells for cells in rows.values())]
    there = max((sum(title in cells for title in five) for cells in rows.values()), default=0)
    name = AVERAGE if there == len(five) else f"{AVERAGE} of {there}"
    lines: list[list[str]] = []
    for model, cells in rows.items():
        found = [*(cells.get(title) for title in five), averages[model], *(cells.get(title) for title in shown)]
        lines.append([model, *(MISSING if cell is None else f"{cell[0]:.4f}" for cell in found)])
        lines.append([f"  {level:.0%} interval", *("" if cell is None else _ends(cell[1]) for cell in found)])
    return ["model", *five, name, *shown], lines


def _ends(ends: Ends) -> str:
    return f"{ends[0]:.4f}-{ends[1]:.4f}"
