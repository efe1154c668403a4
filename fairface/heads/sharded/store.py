"""Where class centres and their momentum are kept: in the device's memory, or in a file that is mapped into memory."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairface.errors import ConfigError
from fairface.mx import Context, NDArray, mx, nd


class Store:
    """Makes the large arrays of a classifier.

    Args:
        folder: of the files that hold them; empty = they lie in memory. A file has no name and goes with the process,
            however it ends. The system keeps what was used lately in free memory and writes the rest to the disk.

    Raises:
        ConfigError: no such folder.
    """

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self._maps: list[mmap.mmap] = []
        if folder and not Path(folder).is_dir():
            raise ConfigError(f"head.scratch is {folder!r}, which is not a folder; make it, or leave it out")

    @property
    def is_mapped(self) -> bool:
        """Whether arrays lie in files."""
        return bool(self.folder)

    def zeros(self, shape: Sequence[int], context: Context, dtype: type | str = "float32") -> NDArray:
        """An array of zeros: on ``context``, or on the CPU where it is mapped.

        Raises:
            ConfigError: the folder's disk is too full, or its file system cannot reserve space.
        """
        if not self.is_mapped:
            return nd.zeros(tuple(shape), ctx=context, dtype=dtype)
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        try:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                # Reserved now: a disk that is full later would end the process in the middle of a write.
                os.posix_fallocate(file.fileno(), 0, size)
                mapped = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise ConfigError(
                f"head.scratch {self.folder}: no file of {size / 2**30:.2f} GiB can be made there ({error.strerror}); "
                "name a folder on a disk with more space"
            ) from error
        self._maps.append(mapped)
        array = np.frombuffer(mapped, dtype=dtype).reshape(tuple(shape))
        return mx.nd.from_numpy(array, zero_copy=True)

    def release(self) -> None:
        """Let mapped pages go from the process's memory; what they hold stays, and comes back when it is used."""
        for mapped in self._maps:
            mapped.madvise(mmap.MADV_DONTNEED)
