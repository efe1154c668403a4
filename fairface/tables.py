"""Rows as aligned plain text, in blocks of columns where a terminal is too narrow for all of them side by side."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence

_GAP = "  "


def output_width() -> int | None:
    """Columns that a table may take: those of the terminal, or of ``COLUMNS`` where that is set; None = any number,
    since standard output is a file or a pipe, in which a row is one line."""
    if not os.environ.get("COLUMNS", "").isdigit() and not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def aligned(rows: Sequence[Sequence[object]], header: Sequence[str], width: int | None = None) -> str:
    """``rows`` below ``header``; numbers are right-aligned.

    A table that is wider than ``width`` is cut into blocks of columns below each other, each of which begins with the
    columns that tell the rows apart. A column that is too wide by itself stands in a block of its own.
    """
    cells = [[str(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    right = [
        bool(rows) and all(isinstance(row[i], (int, float)) or _looks_numeric(str(row[i])) for row in rows)
        for i in range(len(header))
    ]

    def line(values: Sequence[str], columns: Sequence[int]) -> str:
        parts = [values[i].rjust(widths[i]) if right[i] else values[i].ljust(widths[i]) for i in columns]
        return _GAP.join(parts).rstrip()

    blocks = []
    for columns in _blocks(widths, _labels(cells), width):
        rule = _GAP.join("-" * widths[i] for i in columns)
        blocks.append("\n".join([line(header, columns), rule, *(line(values, columns) for values in cells)]))
    return "\n\n".join(blocks)


def _labels(cells: Sequence[Sequence[str]]) -> int:
    """The fewest leading columns that no two rows have alike; 1 where all columns together do not suffice."""
    most = len(cells[0]) if cells else 1
    for count in range(1, most + 1):
        if len({tuple(row[:count]) for row in cells}) == len(cells):
            return count
    return 1


def _blocks(widths: Sequence[int], labels: int, limit: int | None) -> Iterator[list[int]]:
    """The columns of each block, ``labels`` first in all of them."""
    columns = list(range(len(widths)))
    if limit is None or _length(widths, columns) <= limit or labels >= len(columns):
        yield columns
        return
    block = columns[:labels]
    for column in columns[labels:]:
        if len(block) > labels and _length(widths, [*block, column]) > limit:
            yield block
            block = columns[:labels]
        block = [*block, column]
    yield block


def _length(widths: Sequence[int], columns: Sequence[int]) -> int:
    return sum(widths[i] for i in columns) + len(_GAP) * (len(columns) - 1)


def _looks_numeric(text: str) -> bool:
    try:
        float(text.rstrip("%"))
    except ValueError:
        return text in ("n/a", "-")
    return True
