"""Tables with named columns as text: CSV as Python, pandas, Excel and R write it."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fairface.errors import DataError
from fairface.files import read_whole
from fairface.quantity import agree, quantity

DELIMITERS = (",", ";", "\t")
_UNNAMED = re.compile(r"(unnamed: ?\d+(_level_\d+)?)?", re.IGNORECASE)  # pandas' own name for a column without one
_SEPARATOR = re.compile(r"sep=(.)\r?\n")  # Excel's first line
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SIGNS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class CsvTable:
    """A table with a first line of column names.

    Attributes:
        source: the file, for messages.
        names: the columns; those without a name are left out.
        columns: the values of each, without white space around them.
        lines: the line of each row in the file.
        delimiter: what stands between values; numbers may have a decimal comma unless it is a comma.
    """

    source: str
    names: tuple[str, ...]
    columns: tuple[list[str], ...]
    lines: list[int]
    delimiter: str = ","

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, *names: str) -> str | None:
        """The first column whose name is one of ``names``, in their order, whatever its case; failing that, without
        regard to spaces, hyphens and underscores (``Image 1`` is ``image1``)."""
        for form in (str.lower, _squeezed):
            there = {form(column): column for column in reversed(self.names)}
            found = next((there[form(name)] for name in names if form(name) in there), None)
            if found is not None:
                return found
        return None

    def column(self, *names: str, remedy: str = "") -> list[str]:
        """The values of the column that :meth:`find` finds; ``remedy`` tells people what to do where there is none.

        Raises:
            DataError: there is none.
        """
        found = self.find(*names)
        if found is None:
            there = f"line 1 names {', '.join(self.names)}{'; ' if remedy else ''}{remedy}"
            raise DataError(f"{self.source}: has no column {' or '.join(names)}; {there}")
        return self.columns[self.names.index(found)]

    def where(self, row: int) -> str:
        """How to name a row to a person."""
        return f"{self.source}: line {self.lines[row]}"

    def filled(self, *names: str, remedy: str = "") -> list[str]:
        """:meth:`column`, of which every row must have a value.

        Raises:
            DataError: there is no such column, or an empty value (the first line is named).
        """
        values = self.column(*names, remedy=remedy)
        if "" in values:
            raise DataError(
                f"{self.where(values.index(''))}: no value for {self.find(*names)} ({values.count('')} of "
                f"{quantity(len(values), 'row')} {agree(values.count(''), 'has', 'have')} none); give one in every row"
            )
        return values

    def renamed(self, columns: Mapping[str, str]) -> CsvTable:
        """The table with other names for some columns: new name to old; a column that bore the new name goes.

        Raises:
            DataError: there is no column of an old name.
        """
        chosen = {}
        for new, old in columns.items():
            self.column(old)
            chosen[self.find(old)] = new
        new_names = {_squeezed(name) for name in columns}
        kept = [
            (chosen.get(name, name), values)
            for name, values in zip(self.names, self.columns, strict=True)
            if name in chosen or _squeezed(name) not in new_names
        ]
        return CsvTable(
            self.source, tuple(name for name, _ in kept), tuple(values for _, values in kept), self.lines,
            self.delimiter,
        )  # fmt: skip


def read_csv_table(path: str | os.PathLike[str]) -> CsvTable:
    """Read a table with commas, semicolons or tabs between the columns; empty lines are passed over.

    Columns without a name (an index of pandas, a trailing comma) are left out. Values after the last column must be
    empty.

    Raises:
        DataError: no text, no column names or two alike, no rows, or a row with another number of values.
    """
    text, delimiter, skipped = _delimited(read_text(path))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(reader, [])]
        used = [column for column, name in enumerate(names) if not _UNNAMED.fullmatch(name)]
        _check_names(path, [names[column] for column in used])
        columns: list[list[str]] = [[] for _ in used]
        lines: list[int] = []
        known: dict[str, str] = {}  # equal texts are kept once: lists of a million pairs name few images
        for line, row in _rows(reader, len(names), path, skipped):
            lines.append(line)
            for column, place in zip(columns, used, strict=True):
                value = row[place].strip()
                column.append(known.setdefault(value, value))
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: is not readable as CSV ({error})") from error
    if not lines:
        raise DataError(f"{path}: holds no rows below its column names; add a row for each record")
    return CsvTable(os.fspath(path), tuple(names[column] for column in used), tuple(columns), lines, delimiter)


def read_text(path: str | os.PathLike[str]) -> str:
    """A text file in UTF-8, or in UTF-16 with its mark (Excel's "Unicode text").

    Raises:
        DataError: it is neither, is a device, or holds a zero byte, as files do that a power cut met while they were
            written, or another control character, which no name has.
    """
    content = read_whole(path)
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f'{path}: is not UTF-8 text (line {line}: {error.reason}); save it as CSV in UTF-8, in Excel "CSV UTF-8"'
        ) from error
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        what = "a zero byte" if control.group() == "\0" else f"the control character {control.group()!r}"
        raise DataError(f"{path}: line {line} holds {what}, so the file is damaged or no text; write it again")
    return text


def fields_of(line: str) -> list[str]:
    """The values of one line, with the delimiter that gives most of them."""
    split = [next(csv.reader([line], delimiter=delimiter), []) for delimiter in DELIMITERS]
    return [field.strip() for field in max(split, key=len)]


def _delimited(text: str) -> tuple[str, str, int]:
    """The text below Excel's line about it, the delimiter, and how many lines were taken off."""
    told = _SEPARATOR.match(text)
    if told is not None:
        return text[told.end() :], told.group(1), 1
    first = text.split("\n", 1)[0]
    counts = [len(next(csv.reader([first], delimiter=delimiter), [])) for delimiter in DELIMITERS]
    return text, DELIMITERS[counts.index(max(counts))], 0


def _check_names(path: str | os.PathLike[str], names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not names or repeated:
        what = f"names {', '.join(repeated)} more than once" if repeated else "names no columns"
        raise DataError(f"{path}: line 1 {what}; it must hold the names of the columns, each once")


def _rows(
    reader: Iterator[list[str]], wanted: int, path: str | os.PathLike[str], skipped: int
) -> Iterator[tuple[int, list[str]]]:
    end = reader.line_num + skipped  # type: ignore[attr-defined]
    for row in reader:
        line, end = end + 1, reader.line_num + skipped  # type: ignore[attr-defined]  # a value in quotes may hold lines
        if not any(map(str.strip, row)):
            continue
        if len(row) < wanted or any(map(str.strip, row[wanted:])):
            raise DataError(
                f"{path}: line {line} has {quantity(len(row), 'value')} for {quantity(wanted, 'column')}; put values "
                "with commas (or whatever stands between the columns) in double quotes"
            )
        yield line, row


def _squeezed(name: str) -> str:
    return _SIGNS.sub("", name.lower())
