"""What is to be packed, named by an insightface list (``.lst``)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fairface.data.packing.plan import Photo, Plan, numbered, photo_path
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import DataError


def plan_lst(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> Plan:
    """The photographs of an insightface list: tab-separated ``aligned, path, label[, 4 numbers of the box[, x1..x5,
    y1..y5]]``. Paths are below ``root`` (default: the list's folder), or absolute.

    Raises:
        DataError: the list cannot be read, a line is damaged, or a photograph is neither aligned nor has landmarks.
    """
    file = Path(path)
    base = file.parent if root is None else Path(root)
    rows: list[tuple[str, Photo]] = []
    for number, line in _lines(file):
        rows.append(_lst_row(file, number, line.rstrip("\r\n").split("\t"), base))
    return numbered(file, rows, AttributeNotes())


def _lst_row(file: Path, number: int, row: Sequence[str], base: Path) -> tuple[str, Photo]:
    where = f"{file}: line {number}"
    try:
        aligned, name, label = int(row[0]), row[1], int(row[2])
        numbers = [float(value) for value in row[7:17]]
        if label < 0 or len(numbers) not in (0, 10):
            raise ValueError
    except (IndexError, ValueError) as error:
        raise DataError(
            f"{where}: is not `aligned<tab>path<tab>label` with, where wanted, 4 numbers of a box and 10 "
            f"of landmarks; correct it"
        ) from error
    landmarks = None if aligned else np.array(numbers, np.float32).reshape(-1, 5).T
    if landmarks is not None and landmarks.shape != (5, 2):
        raise DataError(
            f"{where}: {name} is not aligned and has no landmarks; add them, or align the photographs "
            f"first (data_process/align.py)"
        )
    path = name if os.path.isabs(name) else photo_path(where, base, name)
    return str(label), Photo(path, 0, number, (), landmarks)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            yield from ((number, line) for number, line in enumerate(stream, 1) if line.strip())
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no text in UTF-8 (byte {error.start}); save it in that form") from error
