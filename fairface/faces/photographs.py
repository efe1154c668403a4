"""The photographs of a folder: their names and their pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.image_kinds import LeftOut, readable_suffixes, suffix_of
from fairface.data.images import decode, read_bytes
from fairface.errors import DataError
from fairface.quantity import quantity


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


def list_photographs(root: str | os.PathLike[str]) -> tuple[list[str], tuple[str, ...]]:
    """Sorted names, relative to ``root`` with forward slashes, at any depth; and those of the other files.

    Hidden files and folders (a leading dot) are passed over; links to folders are followed (:func:`walk`).

    Raises:
        DataError: no such folder, no photograph in it, or a file name that is no UTF-8 text.
    """
    base = Path(root)
    if not base.is_dir():
        raise DataError(f"{base}: no such folder; give the folder that holds the photographs")
    names: list[str] = []
    others: list[str] = []
    readable = readable_suffixes()
    for folder, files in walk(base):
        for file in files:
            if not file.startswith("."):
                kind = names if suffix_of(file) in readable else others
                kind.append((folder / file).relative_to(base).as_posix())
    if not names:
        told = LeftOut.of(others).problems(str(base)) or (quantity(len(others), "other file"),)
        raise DataError(f"{base}: no photograph in it ({', '.join(sorted(readable))}); {told[0]}")
    for name in names:
        if not name.isprintable():
            raise DataError(f"{base}: file name {name!r} holds characters that cannot be written to a list; rename it")
    return sorted(names), tuple(sorted(others))


def read_photograph(path: Path, name: str) -> NDArray[np.uint8]:
    """The photograph as ``(H, W, 3)`` uint8 RGB, turned as its EXIF data say; grey ones have three equal channels.

    Raises:
        DataError: the file cannot be opened or is no whole image; the message begins with ``name``.
    """
    try:
        return decode(read_bytes(path, name), name)
    except MemoryError as error:
        raise too_large(name) from error
    except cv2.error as error:
        raise DataError(f"{name}: too large or too damaged for OpenCV; restore or remove it") from error


def too_large(name: str) -> DataError:
    """What is said of a photograph on which memory ran out."""
    return DataError(f"{name}: memory ran out on this photograph; make it smaller, or use fewer processes (--jobs)")
