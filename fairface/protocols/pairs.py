"""Pair lists: CSV files and LFW's pairs.txt."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows

SAME_WORDS = {"1": True, "true": True, "yes": True, "same": True}
DIFFERENT_WORDS = {"0": False, "false": False, "no": False, "different": False}
REQUIRED = ("image_a", "image_b", "same")


def read_pairs(path: str | os.PathLike[str], names: Sequence[str] | None = None) -> Comparisons:
    """A pair list of either kind: CSV where the file's name ends in ``.csv``, else LFW's pairs.txt."""
    return read_pairs_csv(path, names) if Path(path).suffix.lower() == ".csv" else read_lfw_pairs(path, names)


def read_pairs_csv(path: str | os.PathLike[str], names: Sequence[str] | None = None) -> Comparisons:
    """Comparisons from a CSV file with the columns ``image_a,image_b,same`` and, if wanted, ``fold``,
    ``subject_a,subject_b``; other columns are ignored.

    ``same`` is 1 or 0 (true/false, yes/no, same/different). Positions refer to ``names``; without it, to the images in
    the order in which the file first mentions them, which ``Comparisons.names`` then holds.

    Raises:
        DataError: a missing column, a row with a missing or unreadable value, images that are not in ``names``, or what
            :func:`fairface.protocols.build.check_comparisons` refuses.
    """
    rows = PairRows()
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), restkey="")
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        missing = [column for column in REQUIRED if column not in columns]
        if missing or ("subject_a" in columns) != ("subject_b" in columns):
            raise DataError(
                f"{path}: line 1 names the columns {','.join(columns) or 'nothing'}; it must name "
                "image_a,image_b,same and may name fold and subject_a,subject_b (both or neither)"
            )
        for row in reader:
            _add_csv_row(rows, row, columns, f"{path}: line {reader.line_num}", reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: is not readable as CSV ({error})") from error
    return comparisons_of_rows(rows, str(path), names)


def _add_csv_row(rows: PairRows, row: dict[str, str], columns: Sequence[str], where: str, line: int) -> None:
    if "" in row:
        raise DataError(f"{where}: has more values than line 1 has columns; put names with commas in double quotes")
    values = {column: (row.get(column) or "").strip() for column in columns}
    empty = [column for column in (*REQUIRED, "fold", "subject_a", "subject_b") if values.get(column) == ""]
    if empty:
        raise DataError(f"{where}: no value for {', '.join(empty)}; give one in every row")
    word = values["same"].lower()
    if word not in SAME_WORDS | DIFFERENT_WORDS:
        raise DataError(f"{where}: same is {values['same']!r}; write 1 (same person) or 0")
    fold = values.get("fold", "-1")
    if "fold" in values and not fold.isdecimal():
        raise DataError(f"{where}: fold is {fold!r}; write a whole number from 0 on")
    rows.image_a.append(values["image_a"])
    rows.image_b.append(values["image_b"])
    rows.same.append(word in SAME_WORDS)
    rows.fold.append(int(fold))
    rows.lines.append(line)
    if "subject_a" in values:
        rows.subject_a.append(values["subject_a"])
        rows.subject_b.append(values["subject_b"])


def read_lfw_pairs(
    path: str | os.PathLike[str], names: Sequence[str] | None = None, suffix: str = ".jpg"
) -> Comparisons:
    """Comparisons from LFW's pairs.txt: ``name n1 n2`` (same person) and ``name1 n1 name2 n2`` (two people).

    Image n of a person is ``name/name_000n<suffix>``. A first line of two numbers is a header (folds, pairs of each
    kind in a fold): the pairs then stand fold by fold, and their number is checked. One number there is the number of
    pairs of each kind. Lines are split at tabs where they hold any, so that names may contain spaces.

    Raises:
        DataError: as :func:`read_pairs_csv`; a line with another number of fields; a header that does not fit.
    """
    rows = PairRows()
    header: list[int] = []
    for line, tokens in _fields(path):
        if not rows.lines and not header and len(tokens) <= 2 and all(token.isdecimal() for token in tokens):
            header = [int(token) for token in tokens]
            continue
        _add_lfw_row(rows, tokens, suffix, f"{path}: line {line}", line)
    in_fold = 2 * header[-1] if header else 0
    expected = in_fold * header[0] if len(header) == 2 else in_fold
    if header and (expected != len(rows.lines) or expected == 0):
        announced = " x ".join(map(str, header))
        raise DataError(
            f"{path}: line 1 announces {announced} pairs of each kind, {expected} together, but {len(rows.lines)} "
            "follow; the file is cut off or its first line is wrong"
        )
    rows.fold = [k // in_fold if len(header) == 2 else -1 for k in range(len(rows.lines))]
    return comparisons_of_rows(rows, str(path), names)


def _fields(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    for number, text in enumerate(_text(path).splitlines(), 1):
        if text.strip():
            parts = text.strip().split("\t") if "\t" in text.strip() else text.split()
            yield number, [part.strip() for part in parts]


def _text(path: str | os.PathLike[str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error}); give a pair list") from error


def _add_lfw_row(rows: PairRows, tokens: Sequence[str], suffix: str, where: str, line: int) -> None:
    if len(tokens) == 3:
        people, numbers = (tokens[0], tokens[0]), (tokens[1], tokens[2])
    elif len(tokens) == 4:
        people, numbers = (tokens[0], tokens[2]), (tokens[1], tokens[3])
    else:
        raise DataError(f"{where}: {len(tokens)} fields; write 'name n1 n2' or 'name1 n1 name2 n2'")
    if not all(number.isdecimal() for number in numbers):
        raise DataError(f"{where}: image numbers {numbers[0]!r} and {numbers[1]!r} must be whole numbers")
    images = [f"{name}/{name}_{int(number):04d}{suffix}" for name, number in zip(people, numbers, strict=True)]
    rows.image_a.append(images[0])
    rows.image_b.append(images[1])
    rows.same.append(len(tokens) == 3)
    rows.subject_a.append(people[0])
    rows.subject_b.append(people[1])
    rows.lines.append(line)
