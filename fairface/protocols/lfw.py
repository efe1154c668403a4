"""LFW's pairs.txt, and lists of its form."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from fairface.comparisons import Comparisons
from fairface.data.table import read_text
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows


def read_lfw_pairs(
    path: str | os.PathLike[str], names: Sequence[str] | None = None, suffix: str = ".jpg"
) -> Comparisons:
    """Comparisons from LFW's pairs.txt: ``name n1 n2`` (same subject) and ``name1 n1 name2 n2`` (two subjects).

    Image n of a subject is ``name/name_000n<suffix>``. A first line of two numbers is a header (folds, pairs of each
    kind in a fold): the pairs then stand fold by fold, and their number is checked. One number there is the number of
    pairs of each kind. Lines are split at tabs where they hold any, so that names may contain spaces.

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
            f"{path}: line 1 announces {announced} pairs of each kind, {expected} together, but {len(rows.lines)} "
            "follow; the file is cut off or its first line is wrong"
        )
    rows.fold = [k // in_fold if len(header) == 2 else -1 for k in range(len(rows.lines))]
    return comparisons_of_rows(rows, str(path), names)


def _fields(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    for number, text in enumerate(read_text(path).splitlines(), 1):
        if text.strip():
            parts = text.strip().split("\t") if "\t" in text.strip() else text.split()
            yield number, [part.strip() for part in parts]


def _add_lfw_row(rows: PairRows, tokens: Sequence[str], suffix: str, where: str, line: int) -> None:
    if len(tokens) == 3:
        subjects, numbers = (tokens[0], tokens[0]), (tokens[1], tokens[2])
    elif len(tokens) == 4:
        subjects, numbers = (tokens[0], tokens[2]), (tokens[1], tokens[3])
    else:
        raise DataError(f"{where}: {len(tokens)} fields; write 'name n1 n2' or 'name1 n1 name2 n2'")
    if not all(number.isdecimal() for number in numbers):
        raise DataError(f"{where}: image numbers {numbers[0]!r} and {numbers[1]!r} must be whole numbers")
    images = [f"{name}/{name}_{int(number):04d}{suffix}" for name, number in zip(subjects, numbers, strict=True)]
    rows.image_a.append(images[0])
    rows.image_b.append(images[1])
    rows.same.append(len(tokens) == 3)
    rows.subject_a.append(subjects[0])
    rows.subject_b.append(subjects[1])
    rows.lines.append(line)
