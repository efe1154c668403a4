"""What is to be packed, named by a list (``.lst``) as insightface or MXNet's im2rec write it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fairface.data.packing.plan import Photo, Plan, numbered, photo_path
from fairface.data.recordio.notes import AttributeNotes
from fairface.data.text_lines import number_of
from fairface.errors import DataError

_LARGEST = float(np.finfo(np.float32).max)  # a coordinate above is infinite as float32


def plan_lst(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> Plan:
    """The photographs of a list, tab-separated.

    insightface's lines are ``aligned, path, label[, 4 numbers of the box[, x1..x5, y1..y5]]``; im2rec's are ``index,
    label, path``, of photographs that are aligned. Labels are whole numbers, which may be written as ``7.000000``.
    Paths are below ``root`` (default: the list's folder), or absolute; backslashes separate folders, too.

    Raises:
        DataError: the list cannot be read, a line is damaged, or a photograph is neither aligned nor has landmarks.
    """
    file = Path(path)
    base = file.parent if root is None else Path(root)
    rows: list[tuple[str, Photo]] = []
    im2rec: bool | None = None  # as the first line is, so are the others
    for number, line in _lines(file):
        row = line.rstrip("\r\n").split("\t")
        im2rec = _is_im2rec(row) if im2rec is None else im2rec
        rows.append((_im2rec_row if im2rec else _lst_row)(file, number, row, base))
    return numbered(file, rows, AttributeNotes())


def _is_im2rec(row: Sequence[str]) -> bool:
    """Whether the path stands last, behind numbers only; insightface's stands second."""
    return len(row) > 2 and all(map(_is_number, row[:-1])) and not _is_number(row[-1])


def _im2rec_row(file: Path, number: int, row: Sequence[str], base: Path) -> tuple[str, Photo]:
    where = f"{file}: line {number}"
    if not _is_im2rec(row) or len(row) != 3:
        raise DataError(f"{where}: is not `index<tab>label<tab>path` with one label, as im2rec writes it; correct it")
    return _label(where, row[1]), Photo(_path(where, base, row[2]), 0, number)


def _lst_row(file: Path, number: int, row: Sequence[str], base: Path) -> tuple[str, Photo]:
    where = f"{file}: line {number}"
    try:
        aligned, name, label = int(row[0]), row[1], row[2]
        numbers = [number_of(value) for value in row[7:17]]
        if len(numbers) not in (0, 10) or not _is_number(label) or not all(abs(at) <= _LARGEST for at in numbers):
            raise ValueError
    except (IndexError, ValueError) as error:
        raise DataError(
            f"{where}: is not `aligned<tab>path<tab>label` with, where wanted, 4 numbers of a box and 10 "
            f"of landmarks, nor im2rec's `index<tab>label<tab>path`; correct it"
        ) from error
    landmarks = None if aligned else np.array(numbers, np.float32).reshape(-1, 5).T
    if landmarks is not None and landmarks.shape != (5, 2):
        raise DataError(
            f"{where}: {name} is not aligned and has no landmarks; add them, or align the photographs "
            f"first (data_process/align.py)"
        )
    return _label(where, label), Photo(_path(where, base, name), 0, number, (), landmarks)


def _is_number(text: str) -> bool:
    try:
        number_of(text)
    except ValueError:
        return False
    return True


def _label(where: str, text: str) -> str:
    """The label as a whole number from 0.

    Raises:
        DataError: it is none.
    """
    value = float(text)
    if not (value >= 0 and value.is_integer()):
        raise DataError(f"{where}: the label is {text}, not a whole number from 0; correct it")
    return str(int(value))


def _path(where: str, base: Path, name: str) -> str:
    """The photograph ``name``; backslashes become slashes unless there is a file of this very name."""
    if "\\" in name and not (base / name).is_file():
        name = name.replace("\\", "/")
    return name if os.path.isabs(name) else photo_path(where, base, name)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            yield from ((number, line) for number, line in enumerate(stream, 1) if line.strip())
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no text in UTF-8 (byte {error.start}); save it in that form") from error
