"""Photographs named in a list file with lines ``path label``."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.data.class_map import map_classes
from fairface.data.images import read_bytes
from fairface.data.missing import NAMES_ALL, STOP, check_policy, find_missing, report_missing
from fairface.data.other_formats import other_format_hint
from fairface.data.text_lines import blocks, read_lines, whole_numbers
from fairface.data.types import UNLABELED
from fairface.data.view import IndexedDataset
from fairface.errors import ROOT, DataError

_FORM = "`path label`"
_SHOWN = 80


class ListDataset(IndexedDataset):
    """Lines ``path label``, split at the last space or tab, so that paths may hold spaces.

    Labels may have gaps: they are mapped to 0..N-1 in ascending order. A label of -1 stays: unlabeled.

    Args:
        list_path: the list file.
        root: the folder that the paths are below; default: the list file's folder.
        on_missing: ``stop`` raises an error when a photograph is not there; ``skip`` leaves it out.

    Attributes:
        class_labels: (N,) int64, the label that the list uses for each class.
        missing: the photographs that are not there, each with its line.

    Raises:
        DataError: a file is missing, or a line is damaged.
    """

    def __init__(
        self,
        list_path: str | os.PathLike[str],
        root: str | os.PathLike[str] | None = None,
        on_missing: str = STOP,
    ) -> None:
        check_policy(on_missing)
        self.path = Path(list_path)
        self.root = self.path.parent if root is None else Path(root)
        names, given, lines = read_list(self.path)
        absent = find_missing(self.root, names)
        self.missing = tuple(f"line {lines[i]}: {self.root / names[i]}" for i in absent.tolist())
        remedy = f"correct the list or its folder; {NAMES_ALL}"
        hint = other_format_hint(self.root, [names[i] for i in absent.tolist()])
        notes = report_missing(str(self.path), self.missing, len(names), on_missing, remedy, (ROOT,), hint)
        if len(absent):
            kept = np.setdiff1d(np.arange(len(names)), absent)
            names, given, lines = [names[i] for i in kept.tolist()], given[kept], lines[kept]
        self._names, self._lines = names, lines
        self._folder, self._list_name = os.path.join(self.root, ""), self.path.name
        classes = map_classes(given)
        self.class_labels = classes.given
        super().__init__(
            str(self.path),
            classes.labels,
            len(classes.given),
            class_names=classes.names,
            notes=(*notes, *classes.notes(str(self.path))),
        )

    def photo(self, index: int) -> Path:
        """The photograph's path."""
        return self.root / self._names[self._check(index)]

    def name(self, index: int) -> str:
        return f"{self._folder}{self._names[self._check(index)]} ({self._list_name}, line {self._lines[index]})"

    def record_name(self, index: int) -> str:
        """The photograph's path below ``root``."""
        return PurePosixPath(self._names[self._check(index)]).as_posix()

    def encoded(self, index: int) -> bytes:
        return read_bytes(f"{self._folder}{self._names[self._check(index)]}", self.name(index))


def read_list(path: Path) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Paths, labels (-1: unlabeled) and line numbers of a list file.

    Raises:
        DataError: the file cannot be read, a line is damaged, or a path is not below the folder of the photographs.
    """
    lines, numbers = read_lines(path, _FORM)
    names: list[str] = []
    labels = np.empty(len(lines), np.int64)
    for start, block in blocks(lines):
        rows = [line.rsplit(None, 1) for line in block]
        given, wrong = whole_numbers([row[-1] for row in rows])
        short = [i for i, row in enumerate(rows) if len(row) == 1]
        for i in sorted({*short, *wrong.tolist(), *np.flatnonzero(given < UNLABELED).tolist()})[:1]:
            raise DataError(
                f"{path}: line {numbers[start + i]} is {block[i][:_SHOWN]!r}, not {_FORM} with a whole number from 0 "
                f"(-1: unlabeled) as label; correct the line"
            )
        names += [row[0] for row in rows]
        labels[start : start + len(block)] = given
    for i in outside(names)[:1]:
        raise DataError(
            f"{path}: line {numbers[i]} names {names[i]!r}, which is not below the folder of the photographs; "
            f"make it relative"
        )
    return names, labels, numbers


def outside(names: list[str]) -> list[int]:
    """Positions of the names that are absolute or lead upwards."""
    return [i for i, name in enumerate(names) if name[0] == "/" or (".." in name and ".." in name.split("/"))]
