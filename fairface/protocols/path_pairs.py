"""Pair lists without column names: lines ``path path label`` or ``label path path``."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence

from fairface.comparisons import Comparisons
from fairface.data.image_kinds import PHOTOGRAPH_SUFFIXES
from fairface.data.table import fields_of, read_text
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.columns import read_truths, truth_of

_SUFFIX = "|".join(re.escape(suffix) for suffix in sorted(PHOTOGRAPH_SUFFIXES))
_PATHS = re.compile(rf"(.+?(?:{_SUFFIX}))\s+(\S.*)", re.IGNORECASE)  # paths with spaces, told apart by the suffix
_FORM = "'path path label' or 'label path path'"


def is_path_pairs(line: str) -> bool:
    """Whether a list's first line names two files and says whether they show one subject."""
    row = _split(line)
    return row is not None and any(
        truth_of(label) is not None and all(map(_is_file, paths)) for label, paths in (_last(row), _first(row))
    )


def read_path_pairs(path: str | os.PathLike[str], names: Sequence[str] | None = None) -> Comparisons:
    """Comparisons from lines of two paths and a label, with tabs, commas, semicolons or spaces between them.

    The label stands last or first, in every line alike: 1 or 0, 1 or -1, true/false, same/different … Nobody is named.

    Raises:
        DataError: a line of another form, labels that say neither, and what
            :func:`fairface.protocols.build.comparisons_of_rows` refuses.
    """
    rows, lines = [], []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        row = _split(line)
        if row is None or not all(row):
            raise DataError(
                f"{path}: line {number} is {line.strip()[:80]!r}, not {_FORM}; put tabs between paths that hold spaces"
            )
        rows.append(row)
        lines.append(number)
    place = _last if rows and truth_of(rows[0][2]) is not None else _first
    told = [place(row) for row in rows]
    same = read_truths([label for label, _ in told], lambda row: f"{path}: line {lines[row]}", "the label")
    result = PairRows([a for _, (a, _) in told], [b for _, (_, b) in told], same, [-1] * len(told), lines=lines)
    return comparisons_of_rows(result, os.fspath(path), names)


def _last(row: Sequence[str]) -> tuple[str, tuple[str, str]]:
    return row[2], (row[0], row[1])


def _first(row: Sequence[str]) -> tuple[str, tuple[str, str]]:
    return row[0], (row[1], row[2])


def _split(line: str) -> list[str] | None:
    """The three fields of a line, or None."""
    text = line.strip()
    try:
        fields = fields_of(text)
    except csv.Error:
        return None
    while len(fields) > 3 and not fields[-1]:
        fields.pop()
    if len(fields) == 1:
        fields = text.split()
    if len(fields) == 3:
        return fields
    if len(fields) < 3:
        return None
    for label, rest in ((fields[-1], text.rsplit(None, 1)[0]), (fields[0], text.split(None, 1)[-1])):
        found = _PATHS.fullmatch(rest) if truth_of(label) is not None else None
        if found is not None:
            return [found[1], found[2], label] if label == fields[-1] else [label, found[1], found[2]]
    return None


def _is_file(text: str) -> bool:
    return text.lower().endswith(tuple(PHOTOGRAPH_SUFFIXES)) or "/" in text or "\\" in text
