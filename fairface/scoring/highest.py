"""The highest of many scores that come in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Highest:
    """The highest ``count`` of all scores that are added."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.values = np.zeros(0)
        self.cut = -np.inf  # scores at or below it are not among the highest

    def add(self, scores: NDArray[np.float64]) -> None:
        if self.count:
            self.values = np.append(self.values, scores[scores > self.cut])
        if len(self.values) > self.count:
            self.values = np.partition(self.values, len(self.values) - self.count)[-self.count :]
            self.cut = float(self.values.min())

    def falling(self) -> NDArray[np.float64]:
        return np.sort(self.values)[::-1]
