"""The photographs of a folder: their names and their pixels."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.images import IMAGE_SUFFIXES, decode, read_bytes
from fairface.errors import DataError


def list_photographs(root: str | os.PathLike[str]) -> tuple[list[str], int]:
    """Sorted names, relative to ``root`` with forward slashes, at any depth; and how many other files there are.

    Hidden files and folders (a leading dot) are passed over.

    Raises:
        DataError: no such folder, no photograph in it, or a file name that is no UTF-8 text.
    """
    base = Path(root)
    if not base.is_dir():
        raise DataError(f"{base}: no such folder; give the folder that holds the photographs")
    names, others = [], 0
    for folder, below, files in os.walk(base):
        below[:] = [name for name in below if not name.startswith(".")]
        for file in files:
            if Path(file).suffix.lower() in IMAGE_SUFFIXES and not file.startswith("."):
                names.append((Path(folder) / file).relative_to(base).as_posix())
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
