"""Photographs in folders: one folder an identity."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fairface.data.identities import order_names
from fairface.data.images import IMAGE_SUFFIXES, read_bytes
from fairface.data.view import IndexedDataset
from fairface.errors import DataError

_REMEDY = "put each person's photographs into a folder of that person's own: <folder>/<person>/<photo>.jpg"


class FolderDataset(IndexedDataset):
    """``root/<identity>/<photo>``, or ``root/imgs/<identity>/<photo>``.

    Labels follow the identities' names: by number where all names are whole numbers, else as text.

    Attributes:
        identities: names of the identities; position = label.
        skipped: paths below ``root`` that are no photographs of an identity (other files, folders without photographs).

    Raises:
        DataError: the folder is missing or holds no photograph of any identity.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = _image_root(Path(root))
        photos, self.skipped = _list_photos(self.root)
        if not photos:
            raise DataError(f"{self.root}: holds no photograph of a person; {_REMEDY}")
        self.identities = tuple(order_names(photos))
        self._photos = [(name, photo) for name in self.identities for photo in photos[name]]
        labels = np.repeat(np.arange(len(self.identities), dtype=np.int32), [len(photos[n]) for n in self.identities])
        super().__init__(str(self.root), labels, len(self.identities))

    def path(self, index: int) -> Path:
        """The photograph's path."""
        return self.root.joinpath(*self._photos[self._check(index)])

    def name(self, index: int) -> str:
        return str(self.path(index))

    def encoded(self, index: int) -> bytes:
        return read_bytes(self.path(index))


def _image_root(root: Path) -> Path:
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; correct the path")
    return root / "imgs" if (root / "imgs").is_dir() else root


def _list_photos(root: Path) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    photos: dict[str, list[str]] = {}
    skipped: list[str] = []
    for name in sorted(_listed(root)):
        if not (root / name).is_dir():
            skipped.append(name)
            continue
        inside = sorted(_listed(root / name))
        chosen = [photo for photo in inside if Path(photo).suffix.lower() in IMAGE_SUFFIXES]
        if chosen:
            photos[name] = chosen
        else:
            skipped.append(f"{name}/")
        skipped += [f"{name}/{other}" for other in inside if Path(other).suffix.lower() not in IMAGE_SUFFIXES]
    return photos, tuple(skipped)


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error
