"""Retrieval results as a table for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fairface.cli import table
from fairface.quantity import quantity
from fairface.report.interval_notes import without_width
from fairface.scoring.measure import Interval
from fairface.scoring.retrieval import DistractorHits, RetrievalResult

MISSING = "n/a"


def retrieval_text(results: Mapping[str, RetrievalResult], hits: DistractorHits | None = None) -> str:
    """:func:`retrieval_rows` as text, with the notes below."""
    header, rows = retrieval_rows(results)
    return "\n".join([table(rows, header), *retrieval_notes(results, hits)])


def retrieval_rows(results: Mapping[str, RetrievalResult]) -> tuple[list[str], list[list[str]]]:
    """Header, and a row for each direction. All results must have been made with the same options."""
    first = next(iter(results.values()))
    header = ["direction", "queries", "identities", "gallery", "distractors", "mAP"]
    header += [f"rank {rank}" for rank in first.ranks] + [f"TAR at FMR {row.target:g}" for row in first.tar]
    rows = []
    for name, result in results.items():
        counts = [result.queries, result.subjects, result.gallery, result.distractors]
        measures = [_text(result.mean_average_precision, result.intervals.get("map"))]
        measures += [_text(value, result.intervals.get(f"rank-{rank}")) for rank, value in result.ranks.items()]
        rows.append([name, *map(str, counts), *measures, *(_text(row.tar) for row in result.tar)])
    return header, rows


def retrieval_notes(results: Mapping[str, RetrievalResult], hits: DistractorHits | None = None) -> list[str]:
    """The re-identification convention, the reason of every n/a, what intervals are shown, and hits against
    distractors."""
    notes = []
    for name, result in results.items():
        market = _text(result.mean_average_precision_market1501, result.intervals.get("map_market1501"))
        notes.append(f"{name}: mAP by Market-1501's convention (re-identification): {market}")
        notes += [f"{name}: TAR at FMR {row.target:g} {MISSING}: {row.reason}" for row in result.tar if row.reason]
    shown = {(i.level, i.rounds) for result in results.values() for i in result.intervals.values()}
    notes += without_width({name: result.intervals for name, result in results.items()})
    notes += [
        f"[low, high]: {level:.0%} confidence intervals over the queries' identities, with this gallery, "
        f"{quantity(rounds, 'bootstrap resample')}"
        for level, rounds in sorted(shown)
    ]
    return notes + _hits(hits)


def _hits(hits: DistractorHits | None) -> list[str]:
    if hits is None:
        return []
    shares = {"zj2jk": hits.zj2jk, "jk2zj": hits.jk2zj, "mean": hits.mean}
    told = ", ".join(f"{key}={_text(value, hits.intervals.get(key))}" for key, value in shares.items())
    return [f"{quantity(hits.pairs, 'pair')} against {quantity(hits.distractors, 'distractor')}: {told}"]


def _text(value: float, interval: Interval | None = None) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:.4f}" + (f" [{interval.low:.4f}, {interval.high:.4f}]" if interval else "")
