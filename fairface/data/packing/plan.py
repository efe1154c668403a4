"""What is to be packed: photographs with identities and attributes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.folder import FolderDataset
from fairface.data.identities import order_names
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import DataError


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph: ``line`` of the list that names it (0: none does); ``landmarks (5, 2)`` are given when it is not
    aligned yet."""

    path: str
    label: int
    line: int = 0
    attributes: tuple[int, ...] = ()
    landmarks: NDArray[np.float32] | None = None

    @property
    def name(self) -> str:
        """How to name the photograph to a person."""
        return f"{self.path} (line {self.line} of the list)" if self.line else self.path


@dataclass(frozen=True)
class Plan:
    """Photographs sorted by label, the identities' names (position = label), what the attributes mean, files of a
    folder that were left out, and ``notes`` for the user."""

    photos: tuple[Photo, ...]
    identities: tuple[str, ...]
    attributes: AttributeNotes
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def plan_folder(root: str | os.PathLike[str]) -> Plan:
    """All photographs of ``root/<identity>/<photo>``.

    Raises:
        DataError: the folder is missing or holds no photograph of an identity.
    """
    data = FolderDataset(root)
    photos = tuple(Photo(data.name(i), int(data.labels[i])) for i in range(len(data)))
    return Plan(photos, data.identities, AttributeNotes(), data.skipped, data.notes)


def numbered(file: Path, rows: Sequence[tuple[str, Photo]], notes: AttributeNotes) -> Plan:
    """A plan of photographs given with the names of their identities, which are numbered in order; sorted by label.

    Raises:
        DataError: there are none; ``file`` names the list.
    """
    if not rows:
        raise DataError(f"{file}: names no photographs; add them")
    identities = order_names(identity for identity, _ in rows)
    label_of = {name: i for i, name in enumerate(identities)}
    photos = [replace(photo, label=label_of[identity]) for identity, photo in rows]
    return Plan(tuple(sorted(photos, key=lambda photo: photo.label)), tuple(identities), notes)


def photo_path(where: str, base: Path, name: str) -> str:
    """The photograph ``name`` below ``base``; ``where`` names the line in an error."""
    if os.path.isabs(name) or ".." in name.split("/"):
        raise DataError(f"{where}: {name} is not below {base}; make it relative to that folder")
    return os.path.join(base, name)
