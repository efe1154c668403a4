"""1:1 results with the FAR that was reached, as a table for people and as CSV files."""

from __future__ import annotations

import csv
import math
import os

from fairface.cli import table
from fairface.files import atomic_write
from fairface.quantity import quantity
from fairface.scoring.tar_table import TarTable

HEADER = ("FAR", "TAR", "FAR reached", "false accepts", "TAR at nearest FAR", "nearest FAR")
MISSING = "n/a"


def tar_rows(result: TarTable) -> list[list[str]]:
    """A row of texts for each FAR."""
    return [
        [
            f"{row.target:g}", _text(row.tar, ".4f"), _text(row.far, ".3g"),
            MISSING if row.reason else f"{row.false_accepts} of {result.impostor}",
            _text(row.tar_nearest, ".4f"), _text(row.far_nearest, ".3g"),
        ]
        for row in result.rows
    ]  # fmt: skip


def tar_text(result: TarTable) -> str:
    """The table, what it is made of, and the reason of every n/a."""
    counts = (
        f"1:1, {result.genuine} genuine and {quantity(result.impostor, 'impostor comparison')}; AUC {result.auc:.6f}"
    )
    reasons = [f"TAR at FAR {row.target:g} {MISSING}: {row.reason}" for row in result.rows if row.reason]
    return "\n".join([counts, table(tar_rows(result), HEADER), *reasons])


def write_tar_csv(path: str | os.PathLike[str], result: TarTable) -> None:
    """The table with all digits; an undefined value is an empty field.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["far", "tar", "far_reached", "threshold", "false_accepts", "impostors", "tar_nearest",
                         "far_nearest"])  # fmt: skip
        for row in result.rows:
            own = ["", "", "", ""] if row.reason else [row.tar, row.far, row.threshold, row.false_accepts]
            writer.writerow([f"{row.target:g}", *own, result.impostor, row.tar_nearest, row.far_nearest])


def write_roc_csv(path: str | os.PathLike[str], result: TarTable) -> None:
    """The ROC's corners: threshold, FAR and TAR.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["threshold", "far", "tar"])
        columns = (result.roc.thresholds, result.roc.fmr, result.roc.tar)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))


def _text(value: float, form: str) -> str:
    return MISSING if math.isnan(value) else format(value, form)
