"""Rows as aligned plain text, in blocks of columns where a terminal is too narrow for all of them side by side."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

from fairface.printable import printable_line

_GAP = "  "
_NARROWEST = 8  # characters of a column that is made narrower


def output_width() -> int | None:
    """Columns that a table may take: those of the terminal, or of ``COLUMNS`` where that is set; None = any number,
    since standard output is a file or a pipe, in which a row is one line."""
    if not os.environ.get("COLUMNS", "").isdigit() and not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def aligned(rows: Sequence[Sequence[object]], header: Sequence[str], width: int | None = None) -> str:
    """``rows`` below ``header``; numbers are right-aligned.

    A table that is wider than ``width`` is cut into blocks of columns below each other, each of which begins with the
    columns that tell the rows apart. Where a block is still too wide, its widest cells go on in further lines.
    """
    header = [printable_line(name) for name in header]
    cells = [[printable_line(str(value)) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [header, *cells]) for i in range(len(header))]
    right = [
        bool(rows) and all(isinstance(row[i], (int, float)) or _looks_numeric(str(row[i])) for row in rows)
        for i in range(len(header))
    ]
    blocks = []
    for columns in _blocks(widths, _labels(cells), width):
        room = _fitted([widths[i] for i in columns], width)
        lines = [[line[i] for i in columns] for line in ([*header], *cells)]
        told = ["\n".join(_lines(line, room, [right[i] for i in columns])) for line in lines]
        blocks.append("\n".join([told[0], _GAP.join("-" * wide for wide in room), *told[1:]]))
    return "\n\n".join(blocks)


def _fitted(widths: Sequence[int], limit: int | None) -> list[int]:
    """The widths of a block's columns, the widest made narrower until all fit into ``limit``."""
    room = list(widths)
    while limit is not None and _length(room, range(len(room))) > limit and max(room) > _NARROWEST:
        room[room.index(max(room))] -= 1
    return room


def _lines(values: Sequence[str], room: Sequence[int], right: Sequence[bool]) -> list[str]:
    """One row: its cells side by side, what is wider than its column below."""
    parts = [wrap(value, wide) if len(value) > wide else [value] for value, wide in zip(values, room, strict=True)]
    lines = []
    for line in zip_longest(*parts, fillvalue=""):
        cells = [
            text.rjust(wide) if numeric else text.ljust(wide)
            for text, wide, numeric in zip(line, room, right, strict=True)
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


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
