"""Panels of 1:N identification and of retrieval: tables, CMC and DET."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.quantity import quantity
from fairface.report.fairness_numbers import number_text
from fairface.report.identification_curves import draw_identification
from fairface.report.identification_table import identification_notes, identification_rows
from fairface.report.page.palette import plain_label, style_of
from fairface.report.page.panel import Drawing, Panel, Table
from fairface.report.retrieval_table import retrieval_notes, retrieval_rows
from fairface.scoring.identification import IdentificationResult
from fairface.scoring.retrieval import DistractorHits, RetrievalResult

_SHOWN_RANKS = (1, 2, 3, 5, 10, 20, 50)


def identification_panels(results: Mapping[str, IdentificationResult]) -> tuple[Panel, ...]:
    """Measures of each gallery; CMC and DET of all."""
    header, rows = identification_rows(results)
    measures = Table("Identification", tuple(header), tuple(map(tuple, rows)))
    told = f"CMC and DET of {', '.join(results)}"
    drawing = Drawing(lambda figure: draw_identification(figure, results), 10, 4.8, told)
    shares = _cmc_table({name: result.cmc for name, result in results.items()}, "gallery")
    return (
        Panel("identification", "Identification", tuple(identification_notes(results)), tables=(measures,)),
        Panel("cmc", "CMC and DET", (), drawing, (shares,)),
    )


def identification_verdict(results: Mapping[str, IdentificationResult]) -> tuple[str, ...]:
    """Two sentences about the first gallery."""
    name, result = next(iter(results.items()))
    rank, share = min(result.ranks.items())
    found = [row for row in result.open_set if not row.reason]
    open_set = (
        f"At FPIR {found[-1].target:g}, {number_text(found[-1].tpir)} of the mated searches find their subject (TPIR)."
        if found else "Nothing is said about people who are not enrolled: there are no or too few non-mated searches."
    )  # fmt: skip
    return (
        f"{name}: {number_text(share)} of {quantity(result.mated, 'mated search', form=',')} among "
        f"{quantity(result.gallery_subjects, 'subject', form=',')} find theirs within rank {rank}.",
        open_set,
    )


def retrieval_panels(results: Mapping[str, RetrievalResult], hits: DistractorHits | None = None) -> tuple[Panel, ...]:
    """Measures of each direction, and the CMC of all."""
    header, rows = retrieval_rows(results)
    measures = Table("Retrieval", tuple(header), tuple(map(tuple, rows)))
    curves = {name: result.cmc for name, result in results.items()}

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, (name, cmc) in enumerate(curves.items()):
            axes.plot(np.arange(1, len(cmc) + 1), cmc, marker=".", label=plain_label(name), **style_of(place))
        axes.set(xlabel="rank", ylabel="share of queries", ylim=(0, 1.02), title="CMC")
        axes.grid(True, alpha=0.3)
        axes.legend()

    told = f"CMC of {', '.join(results)}"
    return (
        Panel("retrieval", "Retrieval", tuple(retrieval_notes(results, hits)), tables=(measures,)),
        Panel("cmc", "CMC", (), Drawing(draw, 7, 4.5, told), (_cmc_table(curves, "direction"),)),
    )


def retrieval_verdict(results: Mapping[str, RetrievalResult]) -> tuple[str, ...]:
    """Two sentences about the first direction."""
    name, result = next(iter(results.items()))
    rank, share = min(result.ranks.items())
    intervals = "" if result.intervals else " There are no intervals, as none were asked for (--bootstrap 1000)."
    return (
        f"{name}: mAP {number_text(result.mean_average_precision)}; {number_text(share)} of "
        f"{quantity(result.queries, 'query', form=',')} find their identity within rank {rank} of "
        f"{quantity(result.gallery, 'gallery image', form=',')}.",
        f"It rests on {quantity(result.subjects, 'identity', form=',')}; "
        f"{quantity(result.absent, 'query', form=',')} without an image in the gallery are in no measure.{intervals}",
    )


def _cmc_table(curves: Mapping[str, NDArray[np.float64]], noun: str) -> Table:
    longest = max((len(cmc) for cmc in curves.values()), default=0)
    ranks = [rank for rank in _SHOWN_RANKS if rank <= longest]
    rows = tuple(
        (name, *(number_text(float(cmc[rank - 1])) if rank <= len(cmc) else "n/a" for rank in ranks))
        for name, cmc in curves.items()
    )
    return Table("Share found within a rank", (noun, *(f"rank {rank}" for rank in ranks)), rows)
