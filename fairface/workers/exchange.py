"""What workers can do together, as little as everything else needs: add up vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray as Array

from fairface.mx import NDArray


class Exchange(Protocol):
    """Adds up float32 arrays over all workers. Every worker makes the same calls with the same shapes.

    Calls of one name follow each other in the same order on every worker; those of different names need not.

    Attributes:
        rank: this worker among all, from 0.
        size: number of workers.
    """

    rank: int
    size: int

    def prepare(self, name: str, length: int) -> None:
        """Make room for vectors of this name and length; all workers prepare in the same order."""

    def sum(self, name: str, vector: NDArray) -> NDArray:
        """The sum over workers of ``vector`` (n,), on its device."""

    def sum_in_place(self, name: str, copies: Sequence[NDArray]) -> None:
        """Replace every array of ``copies``, equal on entry, by the sum over workers. Each call of a name brings the
        same arrays."""

    def sum_numbers(self, name: str, values: Array[np.float32]) -> Array[np.float32]:
        """The sum over workers of few ``values`` (n,), on the CPU; waits for it."""

    def close(self) -> None:
        """Part from the others; waits until all of them do."""
