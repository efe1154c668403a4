"""Labels, positions and sizes of all records of a ``.rec`` file, read from the headers alone and kept in a cache."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.npz import UNREADABLE, write_npz
from fairface.data.recordio.frame import FIRST, FRAME, LENGTH_BITS, LENGTH_MASK, MAGIC, WHOLE, RecordFile
from fairface.data.recordio.header import HEADER, unpack
from fairface.data.recordio.keys import find_keys
from fairface.errors import DataError

MULTIPART = -1
_CACHE_VERSION = 1
_KINDS = {"flags": "int32", "labels": "float32"}  # of its arrays that are not int64
_CHUNK = 1 << 16
_GUESS = 8
_PREFIX = np.dtype(
    [("magic", "<u4"), ("word", "<u4"), ("flag", "<u4"), ("label", "<f4"), ("id", "<u8"), ("id2", "<u8")]
)


@dataclass(frozen=True)
class RecordIndex:
    """R records, sorted by key.

    Attributes:
        keys: (R,) int64.
        offsets: (R,) int64, where the record's first part begins.
        flags: (R,) int32, number of labels in the array, 0 for one number.
        starts: (R,) int64, where the payload begins.
        sizes: (R,) int64, bytes of payload; ``-1`` where the record has several parts.
        labels: (R, W) float32, NaN beyond the record's own labels.
    """

    keys: NDArray[np.int64]
    offsets: NDArray[np.int64]
    flags: NDArray[np.int32]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keys)


def load_index(file: RecordFile, path_idx: Path | None) -> RecordIndex:
    """The index of ``file``, from the cache beside it when that still fits, else scanned and then cached.

    The cache (``<name>.index.npz``) is keyed by size and time of both files. Where it cannot be written, for instance
    in a read-only folder, the index is scanned every time.

    Raises:
        DataError: a file is truncated or damaged.
    """
    cache = file.path.with_suffix(".index.npz")
    stamp = _stamp(file.path, path_idx)
    index = _read_cache(cache, stamp)
    if index is None:
        index = scan(file, *find_keys(file, path_idx))
        with suppress(DataError):
            _write_cache(cache, stamp, index)
    return index


def scan(file: RecordFile, keys: NDArray[np.int64], offsets: NDArray[np.int64]) -> RecordIndex:
    """Read the header of every record, in the order in which they lie on disk.

    Raises:
        DataError: a record is damaged or does not fit into the file.
    """
    order = np.argsort(offsets, kind="stable")
    parts = [_scan_chunk(file, offsets[order[i : i + _CHUNK]]) for i in range(0, len(order), _CHUNK)]
    flags, starts, sizes = (np.concatenate([part[field] for part in parts]) for field in range(3))
    labels = np.full((len(order), max(part[3].shape[1] for part in parts)), np.nan, np.float32)
    row = 0
    for part in parts:
        labels[row : row + len(part[3]), : part[3].shape[1]] = part[3]
        row += len(part[3])
    by_key = np.argsort(keys[order], kind="stable")
    final = order[by_key]
    return RecordIndex(keys[final], offsets[final], flags[by_key], starts[by_key], sizes[by_key], labels[by_key])


_Chunk = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


def _scan_chunk(file: RecordFile, offsets: NDArray[np.int64], slots: int = _GUESS) -> _Chunk:
    """Flags, payload starts, payload sizes and labels (n, W) of the records at ``offsets``; W is at most ``slots``
    unless a record has more labels, in which case the chunk is read again."""
    width = _PREFIX.itemsize + 4 * slots
    raw = b"".join([file.pread(width, offset).ljust(width, b"\0") for offset in offsets.tolist()])
    table = np.frombuffer(raw, np.uint8).reshape(-1, width)
    head = np.ascontiguousarray(table[:, : _PREFIX.itemsize]).view(_PREFIX)[:, 0]
    kinds, lengths = head["word"] >> LENGTH_BITS, (head["word"] & LENGTH_MASK).astype(np.int64)
    flags = head["flag"].astype(np.int64)
    cut = HEADER.size + 4 * flags > lengths
    damaged = (head["magic"] != MAGIC) | ((kinds != WHOLE) & (kinds != FIRST)) | (cut & (kinds == WHOLE))
    damaged |= offsets + FRAME.size + lengths > file.size
    for offset in offsets[damaged][:1].tolist():
        # These know the reasons and say them.
        unpack(file.read_at(offset), f"{file.path}: record at byte {offset}")
    needed = int(flags[~cut].max(initial=0))
    if needed > slots:
        return _scan_chunk(file, offsets, needed)
    labels = np.ascontiguousarray(table[:, _PREFIX.itemsize :]).view("<f4")[:, : max(needed, 1)].astype(np.float32)
    labels[np.arange(labels.shape[1]) >= flags[:, None]] = np.nan
    labels[flags == 0, 0] = head["label"][flags == 0]
    sizes = np.where(kinds == WHOLE, lengths - HEADER.size - 4 * flags, MULTIPART)
    for row in np.flatnonzero(cut):
        labels = _fill_from_whole(file, int(offsets[row]), row, labels)
    return flags.astype(np.int32), offsets + _PREFIX.itemsize + 4 * flags, sizes, labels


def _fill_from_whole(file: RecordFile, offset: int, row: int, labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Labels of a record whose header or labels themselves hold the magic number and are cut by it."""
    header, _ = unpack(file.read_at(offset), f"{file.path}: record at byte {offset}")
    missing = len(header.label) - labels.shape[1]
    if missing > 0:
        labels = np.pad(labels, ((0, 0), (0, missing)), constant_values=np.nan)
    labels[row] = np.nan
    labels[row, : len(header.label)] = header.label
    return labels


def _stamp(rec: Path, idx: Path | None) -> NDArray[np.int64]:
    values = [_CACHE_VERSION]
    for path in (rec, idx):
        status = None if path is None else os.stat(path)
        values += [-1, -1] if status is None else [status.st_size, status.st_mtime_ns]
    return np.array(values, np.int64)


def _read_cache(path: Path, stamp: NDArray[np.int64]) -> RecordIndex | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            if not np.array_equal(stored["stamp"], stamp):
                return None
            index = RecordIndex(**{field.name: stored[field.name] for field in fields(RecordIndex)})
    except (OSError, KeyError, *UNREADABLE):
        return None
    return index if _is_whole(index) else None


def _is_whole(index: RecordIndex) -> bool:
    """Whether its arrays are of the form that :func:`_write_cache` gave them."""
    arrays = {field.name: getattr(index, field.name) for field in fields(RecordIndex)}
    forms = {name: (2 if name == "labels" else 1, _KINDS.get(name, "int64")) for name in arrays}
    told = {name: (array.ndim, array.dtype.name) for name, array in arrays.items()}
    return told == forms and len({len(array) for array in arrays.values()}) == 1


def _write_cache(path: Path, stamp: NDArray[np.int64], index: RecordIndex) -> None:
    write_npz(path, {"stamp": stamp, **{field.name: getattr(index, field.name) for field in fields(RecordIndex)}})
