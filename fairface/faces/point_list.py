"""Landmarks as TFace's tools take them: lines ``image x1 y1 x2 y2 x3 y3 x4 y4 x5 y5 anything``, split by spaces.

The points are left eye, right eye, nose tip, left and right mouth corner. What stands last is not used; we write the
detector's score there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.text_lines import number_of, read_lines
from fairface.errors import DataError
from fairface.faces.landmarks import Landmarks
from fairface.files import atomic_write

_NUMBERS = 10
_FORM = "`image x1 y1 … x5 y5 score`"
_SHOWN = 80
_FAR = 1e6  # pixels; no photograph is that large


def read_point_list(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Points (5, 2) by image name; names may hold spaces, and the last field may be missing.

    Raises:
        DataError: the file cannot be read, a line is damaged, or an image is there twice with different points.
    """
    file = Path(path)
    lines, numbers = read_lines(file, _FORM)
    found: dict[str, NDArray[np.float32]] = {}
    for number, line in zip(numbers.tolist(), lines, strict=True):
        name, points = _parse(line)
        if points is None:
            raise DataError(f"{file}: line {number} is {line[:_SHOWN]!r}, not {_FORM}; correct the line")
        if name in found and not np.array_equal(found[name], points):
            raise DataError(f"{file}: line {number}: {name} has other points than before; keep one of the lines")
        found[name] = points
    return found


def write_point_list(path: str | os.PathLike[str], rows: Iterable[Landmarks]) -> int:
    """Write the rows that have points, for the owner only; returns how many.

    Raises:
        DataError: the file cannot be written.
    """
    count = 0
    with atomic_write(path, "w", personal=True, encoding="utf-8") as file:
        for row in rows:
            if row.points is not None:
                numbers = " ".join(f"{value:.3f}" for value in row.points.ravel())
                file.write(f"{row.image} {numbers} {0 if row.score is None else row.score:.4f}\n")
                count += 1
    return count


def is_point_list(line: str) -> bool:
    """Whether a line could be one of such a list."""
    return len(line.split()) > _NUMBERS and _parse(line)[1] is not None


def _parse(line: str) -> tuple[str, NDArray[np.float32] | None]:
    fields = line.rsplit(None, _NUMBERS + 1)
    if len(fields) == _NUMBERS + 2:
        points = _points(fields[1:-1])
        if points is not None:
            return fields[0], points
    fields = line.rsplit(None, _NUMBERS)
    return fields[0], _points(fields[1:])


def _points(fields: list[str]) -> NDArray[np.float32] | None:
    try:
        values = np.array([number_of(field) for field in fields])
    except ValueError:
        return None
    if len(values) != _NUMBERS or not (np.abs(values) < _FAR).all():  # not a number is not below it either
        return None
    return values.astype(np.float32).reshape(5, 2)
