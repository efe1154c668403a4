"""MLFW, CALFW and CPLFW: two lines ``image label`` for a pair, or a line ``image image label``, in ten folds.

MLFW keeps CALFW's pairs, folds and identities. Source of the first form and of the folds: CALFW's and CPLFW's lists,
and FaceX-Zoo's reader of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from fairface.comparisons import Comparisons
from fairface.data.image_kinds import PHOTOGRAPH_SUFFIXES
from fairface.data.text_lines import read_lines
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.names import without_suffix

FOLDS = 10
_FORM = "'image label' in two lines for a pair, or 'image image label'"
_NUMBERED = re.compile(r"(.+?)(?:_\d+)+", re.ASCII)  # MLFW may number a masked image once more
_Line = tuple[int, list[str]]


def is_mlfw_line(line: str) -> bool:
    """Whether a line is ``image label``, half a pair."""
    fields = line.split()
    return len(fields) == 2 and _is_image(fields[0]) and fields[1].isdecimal()


def read_mlfw(path: str | os.PathLike[str]) -> Comparisons:
    """Comparisons from the list of MLFW, CALFW or CPLFW: label 0 says two subjects, any other one.

    The subject is the image's name without its numbers (``Ann_Lee_0002.jpg``). The pairs of each kind stand fold by
    fold: ten equal parts of each make the folds; there are none where a kind's number is no multiple of ten.

    Raises:
        DataError: a line of another form, half a pair, and what
            :func:`fairface.protocols.build.comparisons_of_rows` refuses.
    """
    rows = PairRows()
    for line, first, second, label in _pairs(Path(path)):
        rows.image_a.append(first)
        rows.image_b.append(second)
        rows.same.append(label != "0")
        rows.subject_a.append(_subject(first))
        rows.subject_b.append(_subject(second))
        rows.lines.append(line)
    rows.fold = _folds(rows.same)
    return comparisons_of_rows(rows, os.fspath(path), None)


def _pairs(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Line, two images and label of each pair."""
    texts, numbers = read_lines(path, _FORM)
    lines = [(int(number), text.replace(",", " ").split()) for number, text in zip(numbers, texts, strict=True)]
    if len(lines[0][1]) == 3:
        for number, fields in lines:
            if len(fields) != 3 or not (_is_image(fields[0]) and _is_image(fields[1]) and fields[2].isdecimal()):
                raise _wrong(path, number, fields)
            yield number, fields[0], fields[1], str(int(fields[2]))
        return
    for number, fields in lines:
        if len(fields) != 2 or not _is_image(fields[0]) or not fields[1].isdecimal():
            raise _wrong(path, number, fields)
    if len(lines) % 2:
        raise DataError(f"{path}: line {lines[-1][0]} is half a pair; the list is cut off, or a line is missing")
    for (number, first), (_, second) in zip(lines[::2], lines[1::2], strict=True):
        labels = [int(fields[1]) for fields in (first, second)]
        if (labels[0] == 0) != (labels[1] == 0):
            raise DataError(f"{path}: line {number} says {labels[0]} of a pair and the next line {labels[1]}; "
                            "0 is for two subjects in both, another number for one")  # fmt: skip
        yield number, first[0], second[0], str(labels[0])


def _folds(same: list[bool]) -> list[int]:
    kinds = np.array(same, bool)
    folds = np.full(len(kinds), -1)
    sizes = kinds.sum(), (~kinds).sum()
    if any(size % FOLDS for size in sizes):
        return [int(fold) for fold in folds]
    for kind, size in zip((kinds, ~kinds), sizes, strict=True):
        folds[kind] = np.arange(size) * FOLDS // max(int(size), 1)
    return [int(fold) for fold in folds]


def _subject(name: str) -> str:
    stem = PurePosixPath(without_suffix(name)).name
    numbered = _NUMBERED.fullmatch(stem)
    return numbered[1] if numbered else stem


def _is_image(text: str) -> bool:
    return text.lower().endswith(tuple(PHOTOGRAPH_SUFFIXES))


def _wrong(path: Path, number: int, fields: list[str]) -> DataError:
    return DataError(f"{path}: line {number} is {' '.join(fields)[:80]!r}, not {_FORM}; correct it")
