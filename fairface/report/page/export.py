"""The figures of a page as PDF and PNG, its tables as CSV and LaTeX: for papers and spreadsheets."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

from fairface.files import atomic_write
from fairface.report.page.panel import Page, Table
from fairface.report.page.svg import figure_of

TABLES = (".csv", ".tex")  # what `write_tables` writes
_DPI = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\n")
# A number alone, or with what tables write behind one: an interval, a percent sign.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*%?(\s*\[[-+\d.e%,\s]*\])?$|[+-]?(inf|nan)$")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def write_figures(folder: str | os.PathLike[str], page: Page) -> list[str]:
    """Write each figure as ``<panel>.pdf`` and ``<panel>.png``; returns the names.

    Raises:
        DataError: a file cannot be written.
    """
    written = []
    for panel in page.panels:
        if panel.drawing is None:
            continue
        figure = figure_of(panel.drawing)
        for kind, settings in (("pdf", {"metadata": {"CreationDate": None}}), ("png", {"dpi": _DPI})):
            name = f"{panel.key}.{kind}"
            with atomic_write(Path(folder, name)) as file:
                figure.savefig(file, format=kind, **settings)
            written.append(name)
    return written


def write_tables(folder: str | os.PathLike[str], page: Page) -> list[str]:
    """Write each table as ``<panel>.csv`` and ``<panel>.tex``, a number appended to all but the first of a panel;
    returns the names. What a table leaves out for want of data is ``n/a`` there as well. In the CSV, text that a
    spreadsheet would take for a formula stands behind an apostrophe (:func:`as_cell`).

    Raises:
        DataError: a file cannot be written.
    """
    written = []
    for key, table in _tables(page):
        with atomic_write(Path(folder, f"{key}.csv"), "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [as_cell(text) for text in row] for row in (table.header, *table.rows)
            )
        with atomic_write(Path(folder, f"{key}.tex"), "w", encoding="utf-8") as file:
            file.write(as_latex(table))
        written += [f"{key}.csv", f"{key}.tex"]
    return written


def _tables(page: Page) -> Iterator[tuple[str, Table]]:
    for panel in page.panels:
        for place, table in enumerate(panel.tables):
            yield (panel.key if place == 0 else f"{panel.key}-{place + 1}"), table


def as_cell(text: str) -> str:
    """``text`` for a cell of a CSV file, which spreadsheets show and never work out.

    They run what begins with ``=``, ``+``, ``-`` or ``@``, also behind a tab or a line break, and group names come from
    anybody's files. A leading apostrophe says that it is text (OWASP, CSV Injection). Numbers stay as they are.
    """
    text = re.sub(r"\r\n?", "\n", text)  # csv does not quote a lone carriage return, which would begin a row
    begins = text.lstrip(" ")
    return f"'{text}" if len(begins) > 1 and begins.startswith(_FORMULA) and not _NUMBER.match(begins) else text


def as_latex(table: Table) -> str:
    """A ``tabular`` with its caption in a ``table``; every character stands for itself."""
    columns = "l" + "r" * (len(table.header) - 1)
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (table.header, *table.rows)]
    body = [lines[0], r"\hline", *lines[1:]]
    return "\n".join([
        r"\begin{table}", r"\centering", rf"\caption{{{latex_text(table.caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}", *body, r"\end{tabular}", r"\end{table}", "",
    ])  # fmt: skip


def latex_text(text: str) -> str:
    """``text`` with LaTeX's special characters escaped; a line break becomes a space."""
    return "".join(_LATEX.get(character, character) for character in re.sub(r"\s+", " ", text))
