"""Photographs that are not there under the name that a list gives, but under this name in another format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath

from fairface.data.image_kinds import (
    PHOTOGRAPH_SUFFIXES,
    UNREAD_SUFFIXES,
    readable_suffixes,
    suffix_of,
    unread_remedies,
)

_MOST = 100  # missing photographs for which one is looked for; a list may lack millions


def other_format_hint(root: str | os.PathLike[str], names: Sequence[str]) -> str:
    """A clause for a message about missing files: what is there instead and what to do; it ends with ``"; "``.

    Empty where none of the first hundred ``names`` below ``root`` has a neighbour that differs in the suffix alone
    (``1.heic``, ``1.JPG``, ``1.png`` beside ``1.jpg``).
    """
    folders: dict[str, dict[str, str]] = {}
    found: list[tuple[str, str]] = []
    for name in names[:_MOST]:
        path = PurePath(name)
        folder = os.path.join(root, path.parent)
        if folder not in folders:
            folders[folder] = _photographs_by_stem(folder)
        if path.stem in folders[folder]:
            found.append((name, (path.parent / folders[folder][path.stem]).as_posix()))
    if not found:
        return ""
    unread = [there for _, there in found if suffix_of(there) not in readable_suffixes()]
    name, there = found[0]
    many = "is" if len(found) == 1 else f"and {len(found) - 1} more of another format are"
    remedies = ["name the files in the list as they are called", *([unread_remedies(unread)] if unread else [])]
    return f"{there} {many} there instead of {name}: {', and '.join(remedies)}; "


def _photographs_by_stem(folder: str) -> dict[str, str]:
    """The photographs of a folder by their names without suffix; of several formats one that can be read here."""
    try:
        files = sorted(os.listdir(folder))
    except OSError:
        return {}
    kinds = PHOTOGRAPH_SUFFIXES | UNREAD_SUFFIXES
    photographs = [file for file in files if suffix_of(file) in kinds]
    readable = readable_suffixes()
    photographs.sort(key=lambda file: suffix_of(file) in readable)
    return {PurePath(file).stem: file for file in photographs}
