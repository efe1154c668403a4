"""Training data in TFRecords with an index file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fairface.data.class_map import map_classes
from fairface.data.missing import NAMES_ALL, STOP, check_policy, report_missing
from fairface.data.tfrecord.example import decode_example
from fairface.data.tfrecord.frame import OVERHEAD, TFRecordFile
from fairface.data.tfrecord.index import TFIndex, read_index
from fairface.data.tfrecord.shards import Shards, find_shards
from fairface.data.types import UNLABELED
from fairface.data.view import IndexedDataset
from fairface.errors import ROOT, DataError
from fairface.quantity import quantity


class IndexTFRDataset(IndexedDataset):
    """The images that an index file names, in its order; the TFRecords themselves are never read through.

    A four-column index gives labels, which may have gaps: they are mapped to 0..N-1 in ascending order. With a
    three-column index, which has none, everything is unlabeled.

    Args:
        index: the index file.
        root: the folder that the TFRecords' folders are below (``root/<name>/<name>-00000.tfrecord``); default: the
            index's folder, then the one above it. A three-column index lies beside its TFRecords.
        checksums: compare each record's checksums when it is read.
        on_missing: ``stop`` raises an error when a TFRecord is not there; ``skip`` leaves its images out.

    Attributes:
        class_labels: (C,) int64, the label that the index uses for each class.
        missing: the TFRecords that are not there, each with the number of its images.

    Raises:
        DataError: a file is missing, a line is damaged or contradicts another, or an offset is beyond the end of its
            file.
    """

    def __init__(
        self,
        index: str | os.PathLike[str],
        root: str | os.PathLike[str] | None = None,
        checksums: bool = True,
        on_missing: str = STOP,
    ) -> None:
        check_policy(on_missing)
        self.path, self.checksums = Path(index), checksums
        self._arguments = (self.path, root, checksums, on_missing)
        content = read_index(self.path)
        shards = find_shards(self.path, content, None if root is None else Path(root))
        _check_places(self.path, content, shards)
        present = np.array([path.is_file() for path in shards.paths])
        self.missing = _missing(content, shards, present)
        remedy = f"copy them to where the index looks for them; {NAMES_ALL}"
        notes = report_missing(str(self.path), self.missing, len(shards.paths), on_missing, remedy, (ROOT,))
        self._files = [TFRecordFile(shards.paths[i]) for i in np.flatnonzero(present).tolist()]
        rows = np.flatnonzero(present[shards.which])
        self._which = (np.cumsum(present) - 1)[shards.which[rows]]
        self._offsets, self._lines = content.offsets[rows], content.lines[rows]
        self._images = None if content.labels is not None else [content.names[i] for i in rows.tolist()]
        self._check_offsets()
        classes = map_classes(np.full(len(rows), UNLABELED) if content.labels is None else content.labels[rows])
        self.class_labels = classes.given
        super().__init__(
            str(self.path),
            classes.labels,
            len(classes.given),
            class_names=classes.names,
            notes=(*notes, *classes.notes(str(self.path))),
        )

    def __reduce__(self) -> tuple[type[IndexTFRDataset], tuple[object, ...]]:
        return IndexTFRDataset, self._arguments

    def image_name(self, index: int) -> str | None:
        """The image's name in a three-column index; a four-column index has none."""
        self._check(index)
        return None if self._images is None else self._images[index]

    def place(self, index: int) -> tuple[Path, int]:
        """The TFRecord file, and the byte at which the record begins."""
        return self._files[self._which[self._check(index)]].path, int(self._offsets[index])

    def name(self, index: int) -> str:
        image = self.image_name(index)
        record = "{}: record at byte {}".format(*self.place(index))
        line = f"{self.path.name}, line {self._lines[index]}"
        return f"{record} ({line})" if image is None else f"{record} ({line}, {image})"

    def record_name(self, index: int) -> str:
        """The image's name where the index has it, else as :meth:`name`."""
        return self.image_name(index) or self.name(index)

    def encoded(self, index: int) -> bytes:
        offset = int(self._offsets[self._check(index)])
        record = self._files[self._which[index]].read_at(offset, self.checksums)
        try:
            return decode_example(record)
        except ValueError as error:
            raise DataError(f"{self.name(index)}: {error}; make it with data_process/img2tfrecord.py") from error

    def _check_offsets(self) -> None:
        sizes = np.array([file.size for file in self._files], np.int64)
        beyond = np.flatnonzero(self._offsets > sizes[self._which] - OVERHEAD)
        if len(beyond):
            first = int(beyond[0])
            file = self._files[self._which[first]]
            raise DataError(
                f"{self.path}: line {self._lines[first]} has a record begin at byte {self._offsets[first]} of "
                f"{file.path}, which has {file.size} bytes; the TFRecord is truncated or the index belongs to another "
                f"one ({quantity(len(beyond), 'such line')}): copy both again"
            )


def _missing(content: TFIndex, shards: Shards, present: np.ndarray) -> tuple[str, ...]:
    counts = np.bincount(shards.which, minlength=len(shards.paths))
    return tuple(f"{shards.paths[i]} ({quantity(counts[i], 'image')})" for i in np.flatnonzero(~present).tolist())


def _check_places(index: Path, content: TFIndex, shards: Shards) -> None:
    """No record may have two labels. It may stand there twice with one label, to be drawn more often, but not in an
    index without labels, which is written once for each record."""
    order = np.lexsort((content.offsets, shards.which))
    same = (np.diff(shards.which[order]) == 0) & (np.diff(content.offsets[order]) == 0)
    if content.labels is not None:
        same &= np.diff(content.labels[order]) != 0
    for row in np.flatnonzero(same)[:1].tolist():
        first, second = sorted(content.lines[order[row : row + 2]].tolist())
        what = "the same record" if content.labels is None else "the same record with different labels"
        raise DataError(f"{index}: lines {first} and {second} name {what}; correct or remove one of them")
