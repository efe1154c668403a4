"""Where each record begins: from the ``.idx`` file, or from the ``.rec`` itself when there is none."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.recordio.frame import FIRST, FRAME, WHOLE, RecordFile
from fairface.data.recordio.header import HEADER
from fairface.errors import DataError

Keys = NDArray[np.int64]
Offsets = NDArray[np.int64]


def find_keys(file: RecordFile, path_idx: Path | None) -> tuple[Keys, Offsets]:
    """Keys and offsets of all records, from ``path_idx``, else by walking through the file.

    Raises:
        DataError: either file is damaged, or the ``.idx`` points outside the ``.rec``.
    """
    if path_idx is None:
        return walk(file)
    keys, offsets = read_idx(path_idx)
    outside = np.flatnonzero((offsets < 0) | (offsets > file.size - FRAME.size))
    if len(outside):
        raise DataError(
            f"{path_idx}: record {keys[outside[0]]} should begin at byte {offsets[outside[0]]} of {file.path.name}, "
            f"which has {file.size} bytes; the .rec is truncated or another one: copy both again"
        )
    return keys, offsets


def read_idx(path: Path) -> tuple[Keys, Offsets]:
    """Keys and offsets of an index file with lines ``key<TAB>offset``.

    Raises:
        DataError: the file cannot be read, is empty, a line is damaged, or a key stands there twice.
    """
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty; remove it to have the .rec scanned, or pack the data again")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file of empty lines: the shape tells
            table = np.loadtxt(path, dtype=np.int64, delimiter="\t", comments=None, ndmin=2, encoding="ascii")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); copy it again") from error
    except ValueError as error:
        raise DataError(_damaged_line(path)) from error
    if table.shape[1] != 2:
        raise DataError(_damaged_line(path))
    keys, offsets = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    unique, counts = np.unique(keys, return_counts=True)
    if len(unique) != len(keys):
        raise DataError(
            f"{path}: key {unique[counts > 1][0]} stands there more than once; "
            f"remove the file to have the .rec scanned, or pack the data again"
        )
    return keys, offsets


def _damaged_line(path: Path) -> str:
    remedy = "remove the file to have the .rec scanned, or copy it again"
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            fields = line.rstrip(b"\r\n").split(b"\t")
            if line.strip() and (len(fields) != 2 or not all(field.strip().isdigit() for field in fields)):
                return f"{path}: line {number} is {line[:60]!r}, not a key, a tab and an offset; {remedy}"
    return f"{path}: holds no lines of a key, a tab and an offset; {remedy}"


def walk(file: RecordFile) -> tuple[Keys, Offsets]:
    """Keys and offsets of a file without ``.idx``, by going from record to record.

    The keys are the records' own ids when these differ from each other (as insightface and im2rec write them), else
    0, 1, 2 …

    Raises:
        DataError: the file is truncated or damaged.
    """
    ids: list[int] = []
    offsets: list[int] = []
    offset = 0
    while offset < file.size:
        kind, length, end = file.part(offset)
        if kind in (WHOLE, FIRST):
            offsets.append(offset)
            head = file.pread(min(length, HEADER.size), offset + FRAME.size)
            ids.append(HEADER.unpack(head)[2] if len(head) == HEADER.size else -1)
        offset = end
    if not offsets:
        raise DataError(f"{file.path}: holds no whole record; it is damaged: copy it again or pack the data again")
    distinct = len(set(ids)) == len(ids) and max(ids) < 1 << 62 and min(ids) >= 0
    return np.array(ids if distinct else range(len(ids)), np.int64), np.array(offsets, np.int64)
