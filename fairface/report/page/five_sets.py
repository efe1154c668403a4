"""Panel of the accuracy on the sets that papers report."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.report.page.panel import Panel, Table


def five_sets_panel(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Panel:
    """The table of :func:`fairface.report.five_sets_table.five_sets_rows`."""
    table = Table("Accuracy, mean of folds", tuple(header), tuple(map(tuple, rows)))
    return Panel("accuracy", "Accuracy", ("Below each model: the confidence intervals over folds.",), tables=(table,))


def five_sets_verdict(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A sentence for each model, and what is not told."""
    average = next(place for place, name in enumerate(header) if name.startswith("AVG"))
    models = [row for row in rows if not row[0].startswith(" ")]
    said = "; ".join(f"{row[0]}: {header[average]} {row[average]}" for row in models)
    return f"{said}.", "These sets name no groups, so nothing is said about differences between them."
