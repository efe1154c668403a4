"""From the names that a protocol uses to positions in a list of images."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.data.image_kinds import PHOTOGRAPH_SUFFIXES
from fairface.errors import DataError
from fairface.quantity import agree, quantity


class NameIndex:
    """Finds images by name.

    A name matches as it is; failing that, whatever the form of its accents (macOS takes ``é`` apart) and of its
    slashes; failing that, without regard to the image format (``a/1.jpg`` finds ``a/1.png``, for aligned copies of
    another format). Both only where that is unambiguous.

    Raises:
        DataError: two images of the list bear one name.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = {str(name): position for position, name in enumerate(names)}
        if len(self._exact) < len(names):
            raise DataError(
                f"{len(names) - len(self._exact)} of {quantity(len(names), 'image name')} "
                f"{agree(len(names) - len(self._exact), 'occurs', 'occur')} more than once (first: "
                f"{_first_repeated(names)}); names must be unique to be looked up"
            )
        self._in_folders = any("/" in name for name in self._exact)
        self._composed: dict[str, int | None] = {}
        self._stems: dict[str, int | None] = {}
        for name, position in self._exact.items():
            whole = composed(name)
            for found, key in ((self._composed, whole), (self._stems, without_suffix(whole))):
                found[key] = None if key in found else position

    def find(self, name: str) -> int | None:
        """Position of the image called ``name``, or None."""
        found = self._exact.get(name)
        if found is not None:
            return found
        whole = composed(name)
        return self._composed[whole] if whole in self._composed else self._stems.get(without_suffix(whole))

    def find_file(self, path: str) -> int | None:
        """As :meth:`find`; failing that, where the list's names have no folders (ids), by the file's own name.

        Two files of one name in different folders then find the same image: whoever asks must notice.
        """
        found = self.find(path)
        return found if found is not None or self._in_folders else self.find(PurePosixPath(composed(path)).name)

    def find_all(self, names: Sequence[str]) -> NDArray[np.int64]:
        """:meth:`find` of each of ``names``; -1 where there is no such image."""
        return np.array([-1 if (position := self.find(name)) is None else position for name in names], np.int64)

    def positions(self, wanted: Sequence[str], source: str) -> NDArray[np.int64]:
        """Positions of all ``wanted`` names.

        Raises:
            DataError: names that are not there: how many, the first few, and ``source`` that asks for them.
        """
        found = self.find_all(wanted)
        missing = sorted({name for name, position in zip(wanted, found, strict=True) if position < 0})
        if missing:
            raise DataError(
                f"{source}: {len(missing)} of {quantity(len(set(wanted)), 'image')} {agree(len(missing), 'is', 'are')} "
                f"not among the {len(self._exact)} given "
                f"({', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}); the given names look like "
                f"{next(iter(self._exact), 'nothing')!r}"
            )
        return found


def composed(name: str) -> str:
    """The name with its accents in one piece and forward slashes: one form for names that look alike."""
    return name if name.isascii() and "\\" not in name else unicodedata.normalize("NFC", name).replace("\\", "/")


def without_suffix(name: str) -> str:
    """The name without its image suffix; other dots stay."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in PHOTOGRAPH_SUFFIXES else name


def _first_repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
