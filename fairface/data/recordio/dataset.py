"""Training data in RecordIO: ``train.rec``, ``train.idx`` and ``property``.

Two layouts are read. insightface's has a record 0 whose label is [first identity record, last + 1] and, after the
images, one record for each identity, whose label is [first image, last + 1]; neither has an image. A plain im2rec file
has images only. An image's label is its identity, or an array [identity, aligned, attribute, …].
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.missing import STOP, check_policy
from fairface.data.recordio.cover import WARNING, check_cover
from fairface.data.recordio.files import default_idx
from fairface.data.recordio.frame import RecordFile
from fairface.data.recordio.header import unpack
from fairface.data.recordio.index import MULTIPART, RecordIndex, load_index
from fairface.data.recordio.notes import read_attribute_notes, read_identities, read_property
from fairface.data.types import UNKNOWN
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.quantity import agree, quantity

_ATTRIBUTES_FROM = 2
_EXACT_IN_FLOAT32 = 1 << 24


class RecordDataset(IndexedDataset):
    """The images of a ``.rec`` file, in the order of their keys.

    Args:
        path: the ``.rec`` file, or a folder that holds ``train.rec`` (or exactly one ``.rec``).
        on_missing: ``stop`` raises an error when the ``.idx`` leaves records of the ``.rec`` out; ``skip`` goes on
            without them.

    Attributes:
        keys: (N,) int64, the images' keys.
        image_size: (height, width) as ``property`` says, or ``None`` where there is no such file.
        attribute_values: what an attribute's codes stand for, where ``attributes.json`` says it.

    Raises:
        DataError: a file is missing, truncated or damaged, there is no image, or a label is no identity 0..N-1.
    """

    def __init__(self, path: str | os.PathLike[str], on_missing: str = STOP) -> None:
        check_policy(on_missing)
        rec = find_rec(Path(path))
        self._file, self._on_missing = RecordFile(rec), on_missing
        index = load_index(self._file, default_idx(rec))
        notes = check_cover(self._file, index, on_missing)
        rows, classes_told = _image_rows(rec, index, complete=not notes)
        size = read_property(rec.parent)
        labels = _labels(rec, index.keys[rows], index.labels[rows, 0], size.classes if size else None)
        classes = max(int(labels.max()) + 1, classes_told) if size is None else size.classes
        names, values, attributes = _attributes(rec, index, rows)
        identities = read_identities(rec.parent, classes)
        super().__init__(str(rec), labels, classes, attributes, names, identities, notes, values)
        self.path, self.problems = rec, tuple(note.removeprefix(WARNING) for note in notes)
        self.image_size = None if size is None else (size.height, size.width)
        self.keys = index.keys[rows]
        self._offsets, self._starts, self._sizes = index.offsets[rows], index.starts[rows], index.sizes[rows]

    def __reduce__(self) -> tuple[type[RecordDataset], tuple[Path, str]]:
        return RecordDataset, (self.path, self._on_missing)

    def name(self, index: int) -> str:
        return f"{self.path}: record {self.keys[self._check(index)]}"

    def record_name(self, index: int) -> str:
        """``record <key>``."""
        return f"record {self.keys[self._check(index)]}"

    def encoded(self, index: int) -> bytes:
        size = int(self._sizes[self._check(index)])
        if size == MULTIPART:
            return unpack(self._file.read_at(int(self._offsets[index])), self.name(index))[1]
        data = self._file.pread(size, int(self._starts[index]))
        if len(data) < size:
            raise DataError(
                f"{self.name(index)}: is cut off after {len(data)} of {size} bytes; the file was "
                f"truncated: copy it again or pack the data again"
            )
        return data


def find_rec(path: Path) -> Path:
    """The ``.rec`` file that ``path`` means.

    Raises:
        DataError: there is none, or it is not clear which one is meant.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{path}: there is no such file or folder; correct the path")
    found = sorted(path.glob("*.rec"))
    if path / "train.rec" in found:
        return path / "train.rec"
    if len(found) != 1:
        what = "no .rec file" if not found else f"{len(found)} .rec files and none is train.rec"
        raise DataError(f"{path}: holds {what}; name the file, or pack photographs with data_process/face2rec2.py")
    return found[0]


def _image_rows(rec: Path, index: RecordIndex, complete: bool) -> tuple[NDArray[np.int64], int]:
    """Rows of the index that are images, and the number of identities that record 0 tells (0: it tells none)."""
    empty = index.sizes == 0
    if not (index.keys[0] == 0 and index.flags[0] > 0 and empty[0]):
        for row in np.flatnonzero(empty)[:1].tolist():
            raise DataError(
                f"{rec}: record {index.keys[row]} holds no image, and there is no record 0 that tells which records "
                f"are images; .rec or .idx is damaged: copy both again"
            )
        return np.arange(len(index)), 0
    rows = np.flatnonzero(~empty)
    if len(rows) == 0:
        raise DataError(f"{rec}: holds no image; pack the data again (data_process/face2rec2.py)")
    end, last = float(index.labels[0, 0]), float(index.labels[0, 1]) if index.flags[0] > 1 else float("nan")
    # Beyond 2**24 records float32 cannot hold these numbers exactly, so they are not relied upon.
    if complete and end < _EXACT_IN_FLOAT32 and len(rows) != end - 1:
        raise DataError(
            f"{rec}: record 0 tells of {end - 1:.0f} {agree(end - 1, 'image', 'images')}, but {len(rows)} "
            f"{agree(len(rows), 'is', 'are')} there; .rec and .idx are incomplete or do not belong together: copy both "
            "again"
        )
    return rows, int(last - end) if last < _EXACT_IN_FLOAT32 and last > end else 0


def _labels(rec: Path, keys: NDArray[np.int64], labels: NDArray[np.float32], classes: int | None) -> NDArray[np.int32]:
    highest = float(2**31) if classes is None else float(classes)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((labels >= 0) & (labels < highest) & (labels == np.floor(labels))))
    if len(wrong):
        allowed = "a whole number from 0" if classes is None else f"0 to {classes - 1} (file property)"
        raise DataError(
            f"{rec}: record {keys[wrong[0]]} has the label {labels[wrong[0]]:g}, not {allowed}; "
            f"{quantity(len(wrong), 'such record')}: correct property or pack the data again"
        )
    return labels.astype(np.int32)


def _attributes(
    rec: Path, index: RecordIndex, rows: NDArray[np.int64]
) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]], NDArray[np.int8]]:
    """Names, values and codes. Without ``attributes.json`` further labels are named by their place: label2, label3 …,
    where all images have them and they are small whole numbers."""
    notes = read_attribute_notes(rec.parent)
    flags = index.flags[rows]
    width = int(flags.min()) - _ATTRIBUTES_FROM if notes is None else len(notes.names)
    if width <= 0:
        return (), {}, np.zeros((len(rows), 0), np.int8)
    short = np.flatnonzero(flags < _ATTRIBUTES_FROM + width)
    if len(short):
        raise DataError(
            f"{rec}: record {index.keys[rows[short[0]]]} has {quantity(flags[short[0]], 'label')}, too few for the "
            f"{quantity(width, 'attribute')} of attributes.json; correct that file or pack the data again"
        )
    values = index.labels[rows, _ATTRIBUTES_FROM : _ATTRIBUTES_FROM + width]
    fits = (values >= UNKNOWN) & (values <= np.iinfo(np.int8).max) & (values == np.floor(values))
    if not fits.all():
        if notes is None:
            return (), {}, np.zeros((len(rows), 0), np.int8)
        row = int(np.flatnonzero(~fits.all(axis=1))[0])
        raise DataError(
            f"{rec}: record {index.keys[rows[row]]} has the attributes {values[row].tolist()}, not whole "
            f"numbers from -1 to 127; pack the data again"
        )
    names = tuple(f"label{_ATTRIBUTES_FROM + i}" for i in range(width)) if notes is None else notes.names
    return names, {} if notes is None else notes.values, values.astype(np.int8)
