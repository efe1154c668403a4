"""Landmarks in a CSV file: one row per photograph, its main face's five points and how many faces there were.

Columns: image, faces, score, x_left_eye, y_left_eye, x_right_eye, y_right_eye, x_nose, y_nose, x_mouth_left,
y_mouth_left, x_mouth_right, y_mouth_right, how. ``faces``, ``score`` and ``how`` may be missing in a file that is read.
A photograph without a face has ``faces`` 0 and empty fields; an empty ``faces`` beside points says that nobody counted.
Image names are relative, with forward slashes.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from fairface.data.text_lines import number_of
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.quantity import quantity

POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
COORDINATES = tuple(f"{axis}_{point}" for point in POINTS for axis in "xy")
COLUMNS = ("image", "faces", "score", *COORDINATES, "how")
WITH_POINTS = ("detected", "forced", "rotated")
WITHOUT_POINTS = ("cropped", "none")


@dataclass(frozen=True)
class Landmarks:
    """One photograph: ``faces`` found; main one's ``score`` and ``points (5, 2)`` float32, ``None`` where unknown.

    ``faces`` is ``None`` where nobody counted: there is at least the main one.

    ``how`` it was found: ``detected`` in the normal way, ``forced`` at another size, ``rotated``; not at all, but
    ``cropped`` as a last resort (:mod:`fairface.faces.rescue`); ``none``. Without points the default is ``none``.
    """

    image: str
    faces: int | None
    score: float | None
    points: NDArray[np.float32] | None
    how: str = "detected"

    def __post_init__(self) -> None:
        if self.points is None and self.how == "detected":
            object.__setattr__(self, "how", "none")
        if self.how not in (WITHOUT_POINTS if self.points is None else WITH_POINTS):
            state = "without" if self.points is None else "with"
            raise ValueError(f"{self.image}: a row {state} points cannot be {self.how!r}")

    def row(self) -> list[str]:
        """The fields of its line in the CSV file."""
        numbers = [""] * 10 if self.points is None else [f"{value:.3f}" for value in self.points.ravel()]
        faces = "" if self.faces is None else str(self.faces)
        return [self.image, faces, "" if self.score is None else f"{self.score:.4f}", *numbers, self.how]


def write_landmarks(path: str | os.PathLike[str], rows: Iterable[Landmarks]) -> None:
    """Write rows, atomically, for the owner only: landmarks are personal data.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_write(path, "w", personal=True, newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row.row() for row in rows)


def read_landmarks(path: str | os.PathLike[str]) -> dict[str, Landmarks]:
    """All rows by image name, in the file's order.

    Raises:
        DataError: the file cannot be read or is not such a table; a row has a name that is empty, twice there, absolute
            or leads upwards, or a number that is none. The message names file and line.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _read(path, file)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no CSV text ({error}); give a landmarks table in UTF-8") from error


def _read(path: str | os.PathLike[str], file: IO[str]) -> dict[str, Landmarks]:
    reader = csv.DictReader(file)
    missing = [name for name in ("image", *COORDINATES) if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; the first line must name {', '.join(COLUMNS)}")
    result: dict[str, Landmarks] = {}
    for fields in reader:
        place = f"{path}, line {reader.line_num}"
        row = _parse(fields, place)
        if row.image in result:
            raise DataError(f"{place}: {row.image} is there twice; keep one row per photograph")
        result[row.image] = row
    return result


def _parse(fields: Mapping[str, str | None], place: str) -> Landmarks:
    name = (fields["image"] or "").strip()
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or ".." in pure.parts:
        raise DataError(f"{place}: image name {name!r}; names must be relative and stay below the photographs' folder")
    texts = [(fields[column] or "").strip() for column in COORDINATES]
    try:
        points = np.array([number_of(text) for text in texts], np.float32).reshape(5, 2) if any(texts) else None
        score = number_of(text) if (text := (fields.get("score") or "").strip()) else None
        faces = int(text) if (text := (fields.get("faces") or "").strip()) else (None if points is not None else 0)
    except ValueError as error:
        raise DataError(f"{place}: {name}: a field is no number ({error}); fix or remove the row") from error
    if (points is not None and not np.isfinite(points).all()) or (score is not None and not np.isfinite(score)):
        raise DataError(f"{place}: {name}: a field is not finite; fix or remove the row")
    if (points is None) != (faces == 0):
        state = "missing" if points is None else "given"
        raise DataError(
            f"{place}: {name}: {quantity(faces or 0, 'face')}, but the points are {state}; fix or remove the row"
        )
    how = (fields.get("how") or "").strip() or ("none" if points is None else "detected")
    known = WITHOUT_POINTS if points is None else WITH_POINTS
    if how not in known:
        state = "without" if points is None else "with"
        raise DataError(f"{place}: {name}: how is {how!r}; {state} points it must be one of {', '.join(known)}")
    return Landmarks(str(pure), faces, score, points, how)
