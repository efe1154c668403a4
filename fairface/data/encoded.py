"""Encoded images without labels, from memory or from files: what verification sets compare."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairface.data.images import read_bytes
from fairface.data.listfile import outside
from fairface.data.other_formats import other_format_hint
from fairface.data.types import UNLABELED
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.quantity import agree, quantity


class EncodedDataset(IndexedDataset):
    """Image files' bytes in memory; ``title`` names their source."""

    def __init__(self, images: Sequence[bytes], title: str) -> None:
        super().__init__(title, np.full(len(images), UNLABELED, np.int32), 0)
        self.images = list(images)

    def name(self, index: int) -> str:
        return f"{self.title}, image {self._check(index)}"

    def encoded(self, index: int) -> bytes:
        return self.images[self._check(index)]


class FileDataset(IndexedDataset):
    """Image files below ``root``, unlabeled; links are followed.

    Raises:
        DataError: a name leaves ``root``, or files are missing (counted, the first few are named).
    """

    def __init__(self, root: str | os.PathLike[str], names: Sequence[str]) -> None:
        super().__init__(os.fspath(root), np.full(len(names), UNLABELED, np.int32), 0)
        for i in outside(list(names))[:1]:
            raise DataError(f"{names[i]!r} is not below the folder {root}; make it relative to that folder")
        self.paths = [Path(root, name) for name in names]
        missing = [name for name, path in zip(names, self.paths, strict=True) if not path.is_file()]
        if missing:
            some = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
            hint = other_format_hint(root, missing)
            raise DataError(
                f"{root}: {len(missing)} of {quantity(len(names), 'image')} {agree(len(missing), 'is', 'are')} not "
                f"there ({some}); {hint}give the right root"
            )

    def name(self, index: int) -> str:
        return str(self.paths[self._check(index)])

    def encoded(self, index: int) -> bytes:
        return read_bytes(self.paths[self._check(index)])
