"""A sampler that gives the records in their order, for tests that compare with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class InOrder:
    """Step k covers positions ``[k*B, (k+1)*B)`` modulo the length."""

    def __init__(self, length: int, batch_size: int) -> None:
        self.length = length
        self.batch_size = batch_size
        self.steps_per_epoch = length / batch_size

    def batch(self, step: int) -> NDArray[np.int64]:
        return (np.arange(self.batch_size) + step * self.batch_size) % self.length

    def substitutes(self, index: int, step: int, row: int) -> Iterator[int]:
        return ((index + offset) % self.length for offset in range(1, self.length))
