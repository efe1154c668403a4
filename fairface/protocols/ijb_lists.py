"""The lists of IJB-B and IJB-C as their public packages write them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.text_lines import read_lines
from fairface.errors import DataError
from fairface.quantity import quantity

_FACES = "`image template medium`"
_POINTS = "`image x1 y1 … x5 y5 score`"
_COORDINATES = 10
_SHOWN = 60
_NAMED = 3


@dataclass(frozen=True)
class Faces:
    """N images: names, and the template (N,) int32 and medium (N,) int32 of each."""

    names: tuple[str, ...]
    templates: NDArray[np.int32]
    media: NDArray[np.int32]


@dataclass(frozen=True)
class Points:
    """Of N images: the five landmarks (N, 5, 2) float32, and the detector's score (N,) float32."""

    points: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Enrolment:
    """K templates (K,) int64, rising, and the subject (K,) int64 that each shows."""

    templates: NDArray[np.int64]
    subjects: NDArray[np.int64]


def read_faces(path: Path) -> Faces:
    """``*_face_tid_mid.txt``: lines ``image template medium``.

    Raises:
        DataError: the file cannot be read, or a line is damaged (it is named).
    """
    lines, numbers = read_lines(path, _FACES)
    words = [line.split() for line in lines]
    values = _whole(path, [word[1:] for word in words], numbers, lines, 2, _FACES)
    return Faces(tuple(word[0] for word in words), *np.ascontiguousarray(values.astype(np.int32).T))


def read_points(path: Path, names: Sequence[str]) -> Points:
    """``*_name_5pts_score.txt``: landmarks of the images ``names``, in their order.

    Raises:
        DataError: the file cannot be read, a line is damaged, an image is there with two different sets of points, or
            images have no line (counted, the first few are named).
    """
    lines, numbers = read_lines(path, _POINTS)
    words = [line.split() for line in lines]
    table = _floats(path, [word[1:] for word in words], numbers, lines)
    listed = [word[0] for word in words]
    if listed != list(names):
        table = table[_rows_of(path, names, listed, table, numbers)]
    points = table[:, :_COORDINATES].reshape(-1, 5, 2)
    return Points(points.astype(np.float32), table[:, _COORDINATES].astype(np.float32))


def _rows_of(
    path: Path, names: Sequence[str], listed: list[str], table: NDArray[np.float64], numbers: NDArray[np.int64]
) -> list[int]:
    rows: dict[str, int] = {}
    for row, name in enumerate(listed):
        before = rows.setdefault(name, row)
        if before != row and not np.array_equal(table[before], table[row]):
            raise DataError(f"{path}: line {numbers[row]}: {name} has other points than before; keep one of the lines")
    missing = [name for name in dict.fromkeys(names) if name not in rows]
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
        raise DataError(
            f"{path}: {quantity(len(missing), 'image has', 'images have')} no line ({some}); use the lists of one "
            "data set"
        )
    return [rows[name] for name in names]


def read_enrolment(path: Path) -> Enrolment:
    """A gallery or the probes of 1:N: a CSV with a header, template and subject in the first two columns, one line for
    each image or for each template.

    Raises:
        DataError: the file cannot be read, a line is damaged, or a template shows two subjects.
    """
    form = "`template,subject,…`"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            next(reader, None)
            rows = [(reader.line_num, row) for row in reader if row]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is no CSV text ({error}); it must hold lines {form}") from error
    if not rows:
        raise DataError(f"{path}: holds no lines {form} below its header; it must have one at least")
    lines = [",".join(row) for _, row in rows]
    numbers = np.array([number for number, _ in rows])
    values = _whole(path, [row[:2] for _, row in rows], numbers, lines, 2, form)
    templates, first, group = np.unique(values[:, 0], return_index=True, return_inverse=True)
    subjects = values[first, 1]
    other = np.flatnonzero(subjects[group] != values[:, 1])
    if len(other):
        raise DataError(
            f"{path}: line {numbers[other[0]]}: template {values[other[0], 0]} shows subject {values[other[0], 1]}, "
            f"but {subjects[group[other[0]]]} before; correct one of the lines"
        )
    return Enrolment(templates, subjects)


def _whole(
    path: Path, words: list[list[str]], numbers: NDArray[np.int64], lines: Sequence[str], count: int, form: str
) -> NDArray[np.int64]:
    """(lines, count) whole numbers that fit int32, none below 0."""
    try:
        values = np.array(words, np.int64)
        good = values.ndim == 2 and values.shape[1] == count and 0 <= values.min() <= values.max() < 1 << 31
    except (ValueError, OverflowError):
        good = False
    if good:
        return values
    for row, word in enumerate(words):
        if len(word) != count or not all(text.strip().isdecimal() and int(text) < 1 << 31 for text in word):
            raise DataError(f"{path}: line {numbers[row]} is {lines[row][:_SHOWN]!r}, not {form}; correct the line")
    return np.array([[int(text) for text in word] for word in words], np.int64)


def _floats(
    path: Path, words: list[list[str]], numbers: NDArray[np.int64], lines: Sequence[str]
) -> NDArray[np.float64]:
    """(lines, 11) finite numbers."""
    try:
        values = np.array(words, np.float64)
        good = np.isfinite(values).all(axis=-1) & (values.shape[-1] == _COORDINATES + 1)
    except ValueError:
        good = np.array([len(word) == _COORDINATES + 1 and all(map(_is_number, word)) for word in words])
    bad = np.flatnonzero(~good)
    if len(bad):
        line = lines[bad[0]][:_SHOWN]
        raise DataError(f"{path}: line {numbers[bad[0]]} is {line!r}, not {_POINTS}; correct the line")
    return values


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
