"""Photographs in folders: one folder per person."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fairface.data.identities import order_names
from fairface.data.image_kinds import LeftOut, readable_suffixes
from fairface.data.images import read_bytes
from fairface.data.missing import STOP, check_policy, report_missing
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.quantity import quantity

_SHOWN = 5
_REMEDY = "put each identity's photographs into a folder of that identity's own: <folder>/<person>/<photo>.jpg"


class FolderDataset(IndexedDataset):
    """``root/<identity>/<photo>``, or ``root/imgs/<identity>/<photo>``.

    Labels follow the identities' names: by number where all names are whole numbers, else as text. Names that begin
    with a dot are passed over.

    Args:
        root: the folder.
        on_missing: ``stop`` raises an error when a photograph is a link that leads nowhere; ``skip`` leaves it out.

    Attributes:
        identities: names of the identities; position = label.
        skipped: paths below ``root`` that are no photographs of an identity or of a kind that cannot be read, and
            folders without photographs; ``notes`` name them.
        missing: paths of the links that lead nowhere.

    Raises:
        DataError: the folder is missing or holds no photograph of any identity, or a link leads nowhere.
    """

    def __init__(self, root: str | os.PathLike[str], on_missing: str = STOP) -> None:
        check_policy(on_missing)
        self.root = image_root(Path(root))
        photos, self.skipped, self.missing = _list_photos(self.root)
        found = sum(map(len, photos.values()))
        notes = report_missing(
            str(self.root), self.missing, found + len(self.missing), on_missing, "restore what the links lead to"
        )
        left_out = LeftOut.of(self.skipped)
        self.problems = (*left_out.problems(str(self.root)), *_without_photographs(str(self.root), self.skipped))
        if not photos:
            raise DataError("; ".join([f"{self.root}: holds no photograph of an identity", *self.problems, _REMEDY]))
        self.identities = tuple(order_names(photos))
        self._photos = [f"{name}/{photo}" for name in self.identities for photo in photos[name]]
        self._folder = os.path.join(self.root, "")
        labels = np.repeat(np.arange(len(self.identities), dtype=np.int32), [len(photos[n]) for n in self.identities])
        super().__init__(str(self.root), labels, len(self.identities), class_names=self.identities,
                         notes=(*notes, *left_out.notes(str(self.root)),
                                *_without_photographs(str(self.root), self.skipped)))  # fmt: skip

    def path(self, index: int) -> Path:
        """The photograph's path."""
        return self.root / self._photos[self._check(index)]

    def name(self, index: int) -> str:
        return f"{self._folder}{self._photos[self._check(index)]}"

    def record_name(self, index: int) -> str:
        """The photograph's path below ``root``."""
        return self._photos[self._check(index)]

    def encoded(self, index: int) -> bytes:
        return read_bytes(f"{self._folder}{self._photos[self._check(index)]}")


def image_root(root: Path) -> Path:
    """The folder that holds the identities' folders: ``root/imgs`` where there is one, else ``root``.

    Raises:
        DataError: ``root`` is no folder.
    """
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; correct the path")
    return root / "imgs" if (root / "imgs").is_dir() else root


def _list_photos(root: Path) -> tuple[dict[str, list[str]], tuple[str, ...], tuple[str, ...]]:
    """Photographs by identity, what is no photograph, and photographs that are links to nothing."""
    photos: dict[str, list[str]] = {}
    readable = readable_suffixes()
    skipped: list[str] = []
    missing: list[str] = []
    for identity in _listed(root):
        if not identity.is_dir():
            skipped.append(identity.name)
            continue
        chosen: list[str] = []
        dangling = 0
        for entry in _listed(identity.path):
            if os.path.splitext(entry.name)[1].lower() not in readable:
                skipped.append(f"{identity.name}/{entry.name}")
            elif entry.is_symlink() and not os.path.exists(entry.path):
                missing.append(entry.path)
                dangling += 1
            else:
                chosen.append(entry.name)
        if chosen:
            photos[identity.name] = chosen
        elif not dangling:
            skipped.append(f"{identity.name}/")
    return photos, tuple(sorted(skipped)), tuple(missing)


def _without_photographs(root: str, skipped: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence about folders of which nothing is read: people who would vanish without a word."""
    empty = [name for name in skipped if name.endswith("/")]
    if not empty:
        return ()
    shown = ", ".join(empty[:_SHOWN]) + (", …" if len(empty) > _SHOWN else "")
    many = quantity(
        len(empty), "folder holds no photograph that can be read and is no identity",
        "folders hold no photograph that can be read and are no identities",
    )  # fmt: skip
    return (f"{root}: {many}: {shown}",)


def _listed(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if entry.name[0] != "."), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error
