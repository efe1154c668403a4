"""Writing RecordIO files (``.rec`` with ``.idx``), compatible with ``mxnet.recordio``, without MXNet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.recordio.frame import frame
from fairface.data.recordio.header import pack
from fairface.data.whole_files import whole_files
from fairface.errors import DataError


def default_idx(path_rec: Path) -> Path | None:
    """The ``.idx`` file beside a ``.rec`` file, or ``None`` where there is none."""
    path = path_rec.with_suffix(".idx")
    return path if path.exists() else None


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
