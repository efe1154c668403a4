"""The training program on a machine whose clock is put back and forward by a day after every three readings.

``python jumping.py CONFIG …``
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

DAY = 86_400.0


def jump(count: itertools.count[int], before: Callable[[], float] = time.time) -> Callable[[], float]:
    """A clock that stands a day off, to and fro."""

    def clock() -> float:
        return before() + (DAY if next(count) // 3 % 2 else -DAY)

    return clock


if __name__ == "__main__":
    time.time = jump(itertools.count())
    from fairface.programs.start import start

    start("train", "train.py")
