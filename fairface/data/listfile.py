"""Photographs named in a list file with lines ``path label``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fairface.data.images import read_bytes
from fairface.data.types import UNLABELED
from fairface.data.view import IndexedDataset
from fairface.errors import DataError

_PROBES = 16


class ListDataset(IndexedDataset):
    """Lines ``path label``, split at the last space or tab, so that paths may hold spaces.

    Labels may have gaps: they are mapped to 0..N-1 in ascending order. A label of -1 stays: unlabeled.

    Args:
        list_path: the list file.
        root: the folder that the paths are below; default: the list file's folder.

    Attributes:
        class_labels: (N,) int64, the label that the list uses for each class.

    Raises:
        DataError: a file is missing, a line is damaged, or none of the photographs is below ``root``.
    """

    def __init__(self, list_path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(list_path)
        self.root = self.path.parent if root is None else Path(root)
        self._names, given, self._lines = _read_list(self.path)
        labeled = given != UNLABELED
        self.class_labels, dense = np.unique(given[labeled], return_inverse=True)
        labels = np.full(len(given), UNLABELED, np.int32)
        labels[labeled] = dense
        super().__init__(str(self.path), labels, len(self.class_labels))
        self._probe()

    def photo(self, index: int) -> Path:
        """The photograph's path."""
        return self.root / self._names[self._check(index)]

    def name(self, index: int) -> str:
        return f"{self.photo(index)} ({self.path.name}, line {self._lines[index]})"

    def encoded(self, index: int) -> bytes:
        return read_bytes(self.photo(index), self.name(index))

    def _probe(self) -> None:
        """A wrong root makes every path wrong: say so at once instead of at the first batch."""
        positions = np.unique(np.linspace(0, len(self) - 1, _PROBES).astype(int)).tolist()
        if not any(self.photo(i).is_file() for i in positions):
            raise DataError(
                f"{self.path}: line {self._lines[0]} names {self._names[0]}, but there is no file "
                f"{self.photo(0)}, nor {len(positions) - 1} others that were tried; correct the list, or "
                f"the folder that its paths are below"
            )


def _read_list(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    names: list[str] = []
    labels: list[int] = []
    numbers: list[int] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    name, label = _parse(path, number, line)
                    names.append(name)
                    labels.append(label)
                    numbers.append(number)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text in UTF-8 (byte {error.start}); it must hold lines `path label`") from error
    if not names:
        raise DataError(f"{path}: holds no lines `path label`; name the photographs in it")
    return names, np.array(labels, np.int64), np.array(numbers, np.int64)


def _parse(path: Path, number: int, line: str) -> tuple[str, int]:
    fields = line.strip().rsplit(None, 1)
    try:
        name, label = fields[0].strip(), float(fields[1])
        if label != int(label) or label < UNLABELED:
            raise ValueError
    except (IndexError, ValueError, OverflowError) as error:
        raise DataError(
            f"{path}: line {number} is {line.strip()[:80]!r}, not `path label` with a whole number from 0 "
            f"(-1: unlabeled) as label; correct the line"
        ) from error
    if name.startswith("/") or ".." in name.split("/"):
        raise DataError(
            f"{path}: line {number} names {name!r}, which is not below the folder of the photographs; make it relative"
        )
    return name, int(label)
