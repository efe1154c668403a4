"""Windows into the memory that workers share: each worker lays a vector there, and all see the sum. No MXNet here."""

from __future__ import annotations

import mmap
import os

import numpy as np
from numpy.typing import NDArray as Array

from fairface.errors import TrainingError
from fairface.workers.bells import Bells
from fairface.workers.segment import Shared

PIECE = 2**20  # values; longer vectors are added up piece by piece, which stays in a processor's cache
_LEAST = 2**8  # values of a window
_FLOAT = 4  # bytes


def room_for(length: int) -> int:
    """Values of the window for vectors of ``length``: few different ones, :data:`PIECE` at the most."""
    return min(PIECE, max(_LEAST, 1 << (length - 1).bit_length())) if length else _LEAST


class Window:
    """Room for one vector of every worker, and for their sum.

    Worker r adds up the r-th part of all vectors, in the order of the workers: the bits do not depend on who is first.
    Two meetings suffice to use the same room again and again: after the second nobody reads the vectors any more, and
    who comes to the first has read the sum.

    Args:
        values: (size + 1, n) float32, shared: the workers' vectors and their sum.
        meeting: number of its meetings.
        bells: this worker's.

    Attributes:
        own: (n,) this worker's vector, to be filled before :meth:`add`.
        sum: (n,) to be read after it, and until this worker's next use of the window.
    """

    def __init__(self, values: Array[np.float32], meeting: int, bells: Bells) -> None:
        self._vectors, self.sum = values[:-1], values[-1]
        self.own = self._vectors[bells.rank]
        self._meeting, self._bells = meeting, bells

    def add(self, length: int) -> None:
        """Add up the first ``length`` values of all vectors; waits for the other workers."""
        size = len(self._vectors)
        part = slice(length * self._bells.rank // size, length * (self._bells.rank + 1) // size)
        self._bells.meet(self._meeting)
        total = self.sum[part]
        total[:] = self._vectors[0, part]
        for vector in self._vectors[1:]:
            total += vector[part]
        self._bells.meet(self._meeting)


class Windows:
    """All windows of a worker, by name; all workers open them in the same order.

    Args:
        rank: this worker.
        shared: its descriptors, which are let go with :meth:`close`.
    """

    def __init__(self, rank: int, shared: Shared) -> None:
        self.size = len(shared.bells)
        self.bells = Bells(rank, shared)
        self._memory = shared.memory
        self._end = 0  # bytes that are taken
        self._windows: dict[tuple[str, int], Window] = {}

    def open(self, name: str, length: int) -> Window:
        """The window of this name for vectors of so many values, or for pieces of them.

        Raises:
            TrainingError: there is not enough memory.
        """
        key = name, room_for(length)
        if key not in self._windows:
            self._windows[key] = Window(self._take(key[1]), len(self._windows) + 1, self.bells)
        return self._windows[key]

    def close(self) -> None:
        """Wait for the other workers, then part from them."""
        self.bells.meet(0)
        self.bells.close()
        os.close(self._memory)

    def _take(self, length: int) -> Array[np.float32]:
        size = (self.size + 1) * length * _FLOAT
        size += -size % mmap.ALLOCATIONGRANULARITY
        begin, self._end = self._end, self._end + size
        try:
            # Every worker does so; the first really takes the memory, so that none meets its lack while it writes.
            os.posix_fallocate(self._memory, begin, size)
            mapped = mmap.mmap(self._memory, size, offset=begin)
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{size} bytes of memory that workers share cannot be had ({error}); free some, or use fewer workers"
            ) from error
        values = np.frombuffer(mapped, np.float32, (self.size + 1) * length)
        return values.reshape(self.size + 1, length)
