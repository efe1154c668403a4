"""The files that a list's names stand for, where it names another format, or takes accents apart as macOS does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fairface.faces.photographs import list_photographs
from fairface.protocols.names import NameIndex


def folder_of(list_folder: Path, name: str) -> Path:
    """The folder that a list's ``name`` is below: ``list_folder``, else a folder up to two levels below it, else one
    beside it; ``list_folder`` where there is no such file."""
    if (list_folder / name).is_file():
        return list_folder
    for level in ("*/", "*/*/", "../*/"):
        for folder in sorted(list_folder.glob(level)):
            if (folder / name).is_file():
                return folder
    return list_folder


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
