"""LFW's pairs.txt, lists of its form, and the CSV files that Kaggle's copy of LFW has of them."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence

from fairface.comparisons import Comparisons
from fairface.data.table import fields_of, read_text
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.quantity import agree, quantity

# The names of Kaggle's columns, and what pandas makes of a second "name" and of a column without a name.
_CSV_COLUMNS = re.compile(r"name1?,imagenum1?,(name(2|\.1)?,)?imagenum[12]?(,|,unnamed: ?\d+)*", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(\.0)?", re.ASCII)  # pandas writes 2.0 in a column with gaps


def is_lfw_csv(line: str) -> bool:
    """Whether a line names the columns of ``pairs.csv``, ``matchpairsDevTest.csv`` and the like."""
    return _CSV_COLUMNS.fullmatch(",".join(_values(line))) is not None


def is_lfw_pairs(line: str) -> bool:
    """Whether a line is ``name n1 n2``, ``name1 n1 name2 n2`` or a header of two numbers, as in LFW's pairs.txt."""
    text = line.strip()
    tokens = [token.strip() for token in (text.split("\t") if "\t" in text else text.split())]
    number = [bool(_NUMBER.fullmatch(token)) for token in tokens]
    return number in ([True, True], [False, True, True], [False, True, False, True])


def read_lfw_pairs(
    path: str | os.PathLike[str], names: Sequence[str] | None = None, suffix: str = ".jpg"
) -> Comparisons:
    """Comparisons from LFW's pairs.txt: ``name n1 n2`` (same subject) and ``name1 n1 name2 n2`` (two subjects).

    Image n of a subject is ``name/name_000n<suffix>``. A first line of two numbers is a header (folds, pairs of each
    kind in a fold): the pairs then stand fold by fold, and their number is checked. One number there is the number of
    pairs of each kind. Lines are split at tabs where they hold any, so that names may contain spaces. In a CSV a line
    that names the columns stands first, and again where two files were joined; empty values at the end do not count.

    Raises:
        DataError: a line with another number of fields, a header that does not fit, and what
            :func:`fairface.protocols.build.comparisons_of_rows` refuses.
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
            f"{path}: line 1 announces {announced} {agree(expected // 2, 'pair', 'pairs')} of each kind, "
            f"{expected} together, but {len(rows.lines)} follow; the file is cut off or its first line is wrong"
        )
    rows.fold = [k // in_fold if len(header) == 2 else -1 for k in range(len(rows.lines))]
    return comparisons_of_rows(rows, str(path), names)


def _fields(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    lines = [(number, text) for number, text in enumerate(read_text(path).splitlines(), 1) if text.strip()]
    as_csv = bool(lines) and is_lfw_csv(lines[0][1])
    for number, text in lines:
        if not as_csv:
            parts = text.strip().split("\t") if "\t" in text.strip() else text.split()
            yield number, [part.strip() for part in parts]
        elif not is_lfw_csv(text):
            yield number, _values(text)


def _values(line: str) -> list[str]:
    """The values of a line of a CSV, without empty ones at its end."""
    try:
        values = fields_of(line)
    except csv.Error:
        return [line]
    while values and not values[-1]:
        values.pop()
    return values


def _add_lfw_row(rows: PairRows, tokens: Sequence[str], suffix: str, where: str, line: int) -> None:
    if len(tokens) == 3:
        subjects, numbers = (tokens[0], tokens[0]), (tokens[1], tokens[2])
    elif len(tokens) == 4:
        subjects, numbers = (tokens[0], tokens[2]), (tokens[1], tokens[3])
    else:
        raise DataError(f"{where}: {quantity(len(tokens), 'field')}; write 'name n1 n2' or 'name1 n1 name2 n2'")
    images = [_image(name, number, suffix) for name, number in zip(subjects, numbers, strict=True)]
    if "" in images:
        raise DataError(f"{where}: image numbers {numbers[0]!r} and {numbers[1]!r} must be whole numbers")
    rows.image_a.append(images[0])
    rows.image_b.append(images[1])
    rows.same.append(len(tokens) == 3)
    rows.subject_a.append(subjects[0])
    rows.subject_b.append(subjects[1])
    rows.lines.append(line)


def _image(name: str, number: str, suffix: str) -> str:
    """LFW's name of image ``number`` of a subject; nothing where that is no whole number."""
    whole = _NUMBER.fullmatch(number)
    return f"{name}/{name}_{int(whole[1]):04d}{suffix}" if whole else ""
