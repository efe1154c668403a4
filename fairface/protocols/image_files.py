"""The files that a list's names stand for, where it names another format, or takes accents apart as macOS does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fairface.faces.photographs import list_photographs
from fairface.protocols.names import NameIndex


def find_images(root: str | os.PathLike[str], names: Sequence[str]) -> list[str | None]:
    """For each of ``names`` a file below ``root``: of this name, else what :class:`NameIndex` finds; else None.

    Raises:
        DataError: names that are not there, in a folder without photographs.
    """
    base = Path(root)
    found: list[str | None] = [name if (base / name).is_file() else None for name in names]
    missing = [place for place, name in enumerate(found) if name is None]
    if missing:
        there = list_photographs(base)[0]
        index = NameIndex(there)
        for place in missing:
            position = index.find(names[place])
            found[place] = None if position is None else there[position]
    return found
