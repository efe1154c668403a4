"""Identification results as a table for people and as a CSV file."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping

from fairface.cli import table
from fairface.files import atomic_write
from fairface.quantity import quantity
from fairface.report.interval_notes import without_width
from fairface.scoring.identification import IdentificationResult
from fairface.scoring.measure import Interval

MISSING = "n/a"


def identification_text(results: Mapping[str, IdentificationResult]) -> str:
    """:func:`identification_rows` as text, with the notes below."""
    header, rows = identification_rows(results)
    return "\n".join([table(rows, header), *identification_notes(results)])


def identification_rows(results: Mapping[str, IdentificationResult]) -> tuple[list[str], list[list[str]]]:
    """Header, and a row for each gallery."""
    first = next(iter(results.values()))
    header = ["gallery", "subjects", "mated", "non-mated", *(f"rank {rank}" for rank in first.ranks)]
    header += [f"TPIR at FPIR {row.target:g}" for row in first.open_set]
    rows = []
    for name, result in results.items():
        ranks = [_text(value, result.intervals.get(f"rank-{rank}")) for rank, value in result.ranks.items()]
        open_set = [_text(row.tpir, result.intervals.get(f"tpir@{row.target:g}")) for row in result.open_set]
        counts = [result.gallery_subjects, result.mated, result.non_mated]
        rows.append([name, *map(str, counts), *ranks, *open_set])
    return header, rows


def identification_notes(results: Mapping[str, IdentificationResult]) -> list[str]:
    """The reason of every n/a, the thresholds, the originals' figure where it is defined, what intervals are shown."""
    reasons: dict[str, list[str]] = {}
    for name, result in results.items():
        for reason in result.reasons.values():
            reasons.setdefault(reason, []).append(name)
        for row in result.open_set:
            if row.reason and result.non_mated:
                reasons.setdefault(f"TPIR at FPIR {row.target:g} {MISSING}: {row.reason}", []).append(name)
    notes = [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
    for name, result in results.items():
        notes += [
            f"{name}: FPIR {row.target:g}: threshold {row.threshold:.6g}, at which "
            f"{round(row.fpir * result.non_mated)} of {quantity(result.non_mated, 'non-mated search')} return somebody "
            f"(FPIR {row.fpir:.4g})"
            for row in result.open_set if not row.reason
        ]  # fmt: skip
    if any(not row.reason for result in results.values() for row in result.open_set):
        notes.append("thresholds were set on these searches; the FPIR of other people at them is another one")
    for name, result in results.items():
        rows = ", ".join(f"{row.recall:.4f} at {row.target:g}" for row in result.per_probe)
        if rows:
            notes.append(f"{name}: recall at false accepts per probe, as AdaFace and insightface print it: {rows}")
    shown = {(i.level, i.rounds) for result in results.values() for i in result.intervals.values()}
    notes += without_width({name: result.intervals for name, result in results.items()})
    return notes + [
        f"[low, high]: {level:.0%} confidence intervals over the probes' subjects, with this gallery, "
        f"{quantity(rounds, 'bootstrap resample')}"
        for level, rounds in sorted(shown)
    ]


def write_identification_csv(path: str | os.PathLike[str], results: Mapping[str, IdentificationResult]) -> None:
    """Gallery, measure, at what, value, threshold; an undefined value is an empty field.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["gallery", "measure", "at", "value", "reached", "threshold"])
        for name, result in results.items():
            for rank, value in result.ranks.items():
                writer.writerow([name, "rank", rank, value, "", ""])
            for row in result.open_set:
                own = ["", "", ""] if row.reason else [row.tpir, row.fpir, row.threshold]
                writer.writerow([name, "TPIR at FPIR", f"{row.target:g}", *own])
            for old in result.per_probe:
                at = f"{old.target:g}"
                writer.writerow([name, "recall at false accepts per probe", at, old.recall, "", old.threshold])


def _text(value: float, interval: Interval | None) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:.4f}" + (f" [{interval.low:.4f}, {interval.high:.4f}]" if interval else "")
