"""CSV files by column: long lists of pairs, scores and attributes."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.errors import DataError
from fairface.protocols.pairs import DIFFERENT_WORDS, SAME_WORDS


@dataclass(frozen=True)
class CsvTable:
    """A CSV file with a first line of column names.

    Attributes:
        source: the file, for messages.
        names: the columns.
        columns: the values of each, without white space around them.
        lines: the line of each row in the file.
    """

    source: str
    names: tuple[str, ...]
    columns: tuple[list[str], ...]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, *names: str) -> str | None:
        """The first column whose name is one of ``names``, in their order, whatever its case."""
        lower = {column.lower(): column for column in reversed(self.names)}
        return next((lower[name.lower()] for name in names if name.lower() in lower), None)

    def column(self, *names: str) -> list[str]:
        """The values of the column that :meth:`find` finds.

        Raises:
            DataError: there is none.
        """
        found = self.find(*names)
        if found is None:
            raise DataError(
                f"{self.source}: has no column {' or '.join(names)}; line 1 names {', '.join(self.names)}"
            )
        return self.columns[self.names.index(found)]

    def where(self, row: int) -> str:
        """How to name a row to a person."""
        return f"{self.source}: line {self.lines[row]}"

    def filled(self, *names: str) -> list[str]:
        """:meth:`column`, of which every row must have a value.

        Raises:
            DataError: there is no such column, or an empty value (the first line is named).
        """
        values = self.column(*names)
        if "" in values:
            raise DataError(
                f"{self.where(values.index(''))}: no value for {self.find(*names)} ({values.count('')} of "
                f"{len(values)} rows have none); give one in every row"
            )
        return values


def read_csv_table(path: str | os.PathLike[str]) -> CsvTable:
    """Read a UTF-8 CSV file; empty lines are passed over.

    Raises:
        DataError: no text, no column names or two alike, no rows, or a row with another number of values.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error}); save it as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        names = [name.strip() for name in next(reader, [])]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if not any(names) or repeated:
            what = f"names {', '.join(repeated)} more than once" if repeated else "names no columns"
            raise DataError(f"{path}: line 1 {what}; it must hold the names of the columns, each once")
        if len(names) == 1 and any(sign in names[0] for sign in ";\t"):
            raise DataError(f"{path}: line 1 has no comma; save it with commas between the columns")
        columns: list[list[str]] = [[] for _ in names]
        lines: list[int] = []
        known: dict[str, str] = {}  # equal texts are kept once: lists of a million pairs name few images
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise DataError(
                    f"{path}: line {reader.line_num} has {len(row)} values for {len(names)} columns; put values with "
                    "commas in double quotes"
                )
            lines.append(reader.line_num)
            for column, value in zip(columns, row, strict=True):
                value = value.strip()
                column.append(known.setdefault(value, value))
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: is not readable as CSV ({error})") from error
    if not lines:
        raise DataError(f"{path}: holds no rows below its column names")
    return CsvTable(os.fspath(path), tuple(names), tuple(columns), lines)


def numbers(table: CsvTable, column: str) -> list[float]:
    """The values of ``column`` as numbers; empty ones and ``nan`` are NaN.

    Raises:
        DataError: a value is no number.
    """
    result = []
    for row, value in enumerate(table.column(column)):
        try:
            result.append(float(value) if value else float("nan"))
        except ValueError as error:
            raise DataError(
                f"{table.where(row)}: {column} is {value!r}; write a number, or nothing where there is none"
            ) from error
    return result


def truths(table: CsvTable, names: Sequence[str]) -> list[bool]:
    """The values of the first of the columns ``names`` that is there, as same (True) or different (False).

    Raises:
        DataError: a value says neither.
    """
    words = SAME_WORDS | DIFFERENT_WORDS | {"1.0": True, "0.0": False}
    values = table.filled(*names)
    result = [words.get(value.lower()) for value in values]
    if None in result:
        row = result.index(None)
        raise DataError(
            f"{table.where(row)}: {table.find(*names)} is {values[row]!r}; write 1 (same person) or 0"
        )
    return [value is True for value in result]


def folds(table: CsvTable) -> list[int]:
    """The column ``fold``; -1 everywhere where there is none.

    Raises:
        DataError: a value is no whole number from 0.
    """
    if table.find("fold") is None:
        return [-1] * len(table)
    values = table.filled("fold")
    wrong = next((row for row, value in enumerate(values) if not value.isdecimal()), None)
    if wrong is not None:
        raise DataError(f"{table.where(wrong)}: fold is {values[wrong]!r}; write a whole number from 0")
    return [int(value) for value in values]
