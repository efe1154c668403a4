"""A file that is read at any place, by threads and after a fork."""

from __future__ import annotations

import os
import stat
import weakref
from pathlib import Path

from fairface.errors import DataError


class PreadFile:
    """A file opened for reading with ``pread``, which moves no file position: threads may share it, and so may
    processes after a fork.

    Attributes:
        size: its length in bytes when it was opened.

    Raises:
        DataError: the file is missing, cannot be read, is a pipe or a device, or is empty; ``remedy`` says what to do
            about an empty one.
    """

    def __init__(self, path: str | os.PathLike[str], remedy: str = "copy it again") -> None:
        self.path = Path(path)
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be opened ({error.strerror}); correct the path") from error
        self._finalizer = weakref.finalize(self, os.close, self._fd)
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            self.close()
            raise DataError(f"{self.path}: is a pipe or a device, not a file; name a file")
        self.size = status.st_size
        if self.size == 0:
            self.close()
            raise DataError(f"{self.path}: the file is empty; {remedy}")

    def __reduce__(self) -> tuple[type[PreadFile], tuple[Path]]:
        return type(self), (self.path,)

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._finalizer()

    def pread(self, length: int, offset: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer at the end of the file."""
        try:
            return os.pread(self._fd, length, offset)
        except OSError as error:
            raise DataError(
                f"{self.path}: cannot be read at byte {offset} ({error.strerror}); "
                f"check the disk or copy the file again"
            ) from error
