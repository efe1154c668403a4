"""The photographs of a folder: their names and their pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.images import IMAGE_SUFFIXES, decode, read_bytes
from fairface.errors import DataError


def walk(root: str | os.PathLike[str]) -> Iterator[tuple[Path, list[str]]]:
    """Every folder at any depth below ``root``, and ``root`` itself, with the names of its files.

    Links to folders are followed once all that needs no link has been seen. No folder is seen twice, by whichever way
    it is reached, so links that lead in a circle do no harm. Hidden folders (a leading dot) are passed over.
    """
    waiting, seen = [Path(root)], set()
    while waiting:
        for place, below, files in os.walk(waiting.pop(0)):
            folder, real = Path(place), os.path.realpath(place)
            if real in seen:
                below.clear()
                continue
            seen.add(real)
            below[:] = sorted(name for name in below if not name.startswith("."))
            waiting += [folder / name for name in below if (folder / name).is_symlink()]
            yield folder, files


def list_photographs(root: str | os.PathLike[str]) -> tuple[list[str], int]:
    """Sorted names, relative to ``root`` with forward slashes, at any depth; and how many other files there are.

    Hidden files and folders (a leading dot) are passed over; links to folders are followed (:func:`walk`).

    Raises:
        DataError: no such folder, no photograph in it, or a file name that is no UTF-8 text.
    """
    base = Path(root)
    if not base.is_dir():
        raise DataError(f"{base}: no such folder; give the folder that holds the photographs")
    names, others = [], 0
    for folder, files in walk(base):
        for file in files:
            if Path(file).suffix.lower() in IMAGE_SUFFIXES and not file.startswith("."):
                names.append((folder / file).relative_to(base).as_posix())
            else:
                others += 1
    if not names:
        raise DataError(f"{base}: no photograph in it ({', '.join(sorted(IMAGE_SUFFIXES))}); {others} other files")
    for name in names:
        if not name.isprintable():
            raise DataError(f"{base}: file name {name!r} holds characters that cannot be written to a list; rename it")
    return sorted(names), others


def read_photograph(path: Path, name: str) -> NDArray[np.uint8]:
    """The photograph as ``(H, W, 3)`` uint8 RGB, turned as its EXIF data say; grey ones have three equal channels.

    Raises:
        DataError: the file cannot be opened or is no whole image; the message begins with ``name``.
    """
    content = read_bytes(path, name)
    try:
        return decode(content, name)
    except cv2.error as error:
        raise DataError(f"{name}: too large or too damaged for OpenCV; restore or remove it") from error
