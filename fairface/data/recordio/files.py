"""Reading and writing RecordIO files (``.rec`` with ``.idx``), compatible with ``mxnet.recordio``, without MXNet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairface.data.recordio.frame import RecordFile, frame
from fairface.data.recordio.header import IRHeader, pack, unpack
from fairface.data.recordio.keys import find_keys
from fairface.data.whole_files import whole_files
from fairface.errors import DataError


class Record(NamedTuple):
    """One record: its header and what follows it (an image file, or nothing)."""

    header: IRHeader
    payload: bytes


def default_idx(path_rec: Path) -> Path | None:
    """The ``.idx`` file beside a ``.rec`` file, or ``None`` where there is none."""
    path = path_rec.with_suffix(".idx")
    return path if path.exists() else None


class RecordReader:
    """Reads records by key. Threads may share a reader, and it goes on working after a fork.

    Args:
        path_rec: the ``.rec`` file.
        path_idx: its index; default: the ``.idx`` beside it, else the file is scanned once.

    Raises:
        DataError: a file is missing or damaged.
    """

    def __init__(self, path_rec: str | os.PathLike[str], path_idx: str | os.PathLike[str] | None = None) -> None:
        self.file = RecordFile(path_rec)
        path = default_idx(self.file.path) if path_idx is None else Path(path_idx)
        self.keys, self._offsets = find_keys(self.file, path)
        self._order = np.argsort(self.keys, kind="stable")
        self._sorted = self.keys[self._order]

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: int) -> bool:
        return self._position(key) is not None

    def _position(self, key: int) -> int | None:
        position = int(self._sorted.searchsorted(key))
        found = position < len(self._sorted) and self._sorted[position] == key
        return int(self._order[position]) if found else None

    def read_raw(self, key: int) -> bytes:
        """The whole record with this key, header included.

        Raises:
            DataError: there is no such key, or the record is damaged.
        """
        position = self._position(key)
        if position is None:
            raise DataError(
                f"{self.file.path}: there is no record {key}; the keys of its {len(self)} records go from "
                f"{self._sorted[0]} to {self._sorted[-1]}"
            )
        return self.file.read_at(int(self._offsets[position]))

    def read(self, key: int) -> Record:
        """Header and payload of the record with this key.

        Raises:
            DataError: there is no such key, or the record is damaged.
        """
        return Record(*unpack(self.read_raw(key), f"{self.file.path}: record {key}"))

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class RecordStream:
    """Writes records to two open files, ``.rec`` (binary) and ``.idx`` (text)."""

    def __init__(self, rec: IO[bytes], idx: IO[str], name: str) -> None:
        self._rec, self._idx, self._name = rec, idx, name
        self._position = 0

    def write_raw(self, key: int, record: bytes) -> None:
        """Append a record whose header is packed already.

        Raises:
            DataError: the disk is full, or a file-size limit is met.
        """
        framed = frame(record)
        try:
            self._rec.write(framed)
            self._idx.write(f"{key}\t{self._position}\n")
        except OSError as error:
            raise DataError(
                f"{self._name}: cannot be written ({error.strerror}); free space or choose another folder"
            ) from error
        self._position += len(framed)

    def write(self, key: int, label: float | Sequence[float] | NDArray[np.floating], payload: bytes) -> None:
        """Append header (its id is the key), label and payload."""
        self.write_raw(key, pack(label, payload, id=key))


class RecordWriter:
    """Context manager that writes ``.rec`` and ``.idx``; both appear when the block ends well, else neither.

    ``with RecordWriter("a.rec") as writer: writer.write(0, label, jpeg)``
    """

    def __init__(self, path_rec: str | os.PathLike[str], path_idx: str | os.PathLike[str] | None = None) -> None:
        self._rec = Path(path_rec)
        self._idx = self._rec.with_suffix(".idx") if path_idx is None else Path(path_idx)
        self._stack = ExitStack()

    def __enter__(self) -> RecordStream:
        files: list[IO[Any]] = self._stack.enter_context(whole_files({self._rec: "wb", self._idx: "w"}))
        return RecordStream(files[0], files[1], str(self._rec))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
