"""Panel of 1:1 verification with the FAR that was reached, as IJB-B and IJB-C are reported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.quantity import quantity
from fairface.report.fairness_numbers import number_text
from fairface.report.page.palette import style_of
from fairface.report.page.panel import Drawing, Panel, Table
from fairface.report.tar_table import HEADER, tar_rows
from fairface.scoring.roc import Roc
from fairface.scoring.tar_table import TarTable

_POINTS = 400


def far_panel(result: TarTable) -> Panel:
    """The table, and the ROC with a logarithmic FAR."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        kept = thinned_places(result.roc)
        axes.plot(result.roc.fmr[kept], result.roc.tar[kept], drawstyle="steps-post", **style_of(0))
        axes.set(xscale="log", xlabel="FAR", ylabel="TAR", title="ROC")
        axes.grid(True, alpha=0.3)

    reasons = tuple(f"TAR at FAR {row.target:g} n/a: {row.reason}" for row in result.rows if row.reason)
    table = Table("Verification 1:1", HEADER, tuple(map(tuple, tar_rows(result))))
    told = "ROC with a logarithmic FAR; the table gives TAR at fixed FAR"
    return Panel("verification", "Verification 1:1", reasons, Drawing(draw, 7, 4.5, told), (table,))


def thinned_places(roc: Roc, points: int = _POINTS) -> NDArray[np.int64]:
    """Up to ``points`` places of the ROC with a false match, evenly spaced in the logarithm of the FAR."""
    from_first = np.flatnonzero(roc.false_matches > 0)
    if len(from_first) <= points:
        return from_first
    wanted = np.geomspace(1, roc.impostor, points)
    return np.unique(np.minimum(np.searchsorted(roc.false_matches, wanted), len(roc.thresholds) - 1))


def far_verdict(name: str, result: TarTable) -> tuple[str, ...]:
    """Two sentences."""
    defined = [row for row in result.rows if not row.reason]
    best = min(defined, key=lambda row: row.target, default=None)
    tar = "" if best is None else f", TAR {number_text(best.tar)} at FAR {best.target:g}"
    return (
        f"{name}: AUC {number_text(result.auc)}{tar}.",
        f"It rests on {result.genuine:,} mated and {quantity(result.impostor, 'non-mated comparison', form=',')}; no "
        "groups were named, so nothing is said about differences between them.",
    )
