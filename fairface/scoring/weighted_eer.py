"""The equal error rate of comparisons that count unequally, as in a round of the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class WeightedEer:
    """M comparisons by falling score, sorted once for all rounds.

    Attributes:
        order: (M,) positions by falling score.
        same: (M,) which are genuine, in that order.
        last: (T,) the last place of each distinct score.
    """

    order: NDArray[np.intp]
    same: NDArray[np.bool_]
    last: NDArray[np.intp]

    @classmethod
    def of(cls, scores: NDArray[np.floating], same: NDArray[np.bool_]) -> WeightedEer:
        """``scores (M,)`` with truth ``same (M,)``."""
        order = np.argsort(-scores, kind="stable")
        falling = scores[order]
        last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
        return cls(order, same[order], last)

    def measure(self, weights: NDArray[np.float64]) -> float:
        """The rate where FMR = FNMR, as :func:`fairface.scoring.roc.eer` has it, when comparison m counts
        ``weights[m]``; NaN where the genuine or the impostor comparisons count nothing."""
        counted = weights[self.order]
        matches, false = (np.append(0.0, np.cumsum(counted * kind)[self.last]) for kind in (self.same, ~self.same))
        if matches[-1] == 0 or false[-1] == 0:
            return float("nan")
        fmr, fnmr = false / false[-1], 1.0 - matches / matches[-1]
        after = int(np.argmax(fmr >= fnmr))
        before = after - 1
        gap_before, gap_after = fnmr[before] - fmr[before], fmr[after] - fnmr[after]
        return float(fmr[before] + (fmr[after] - fmr[before]) * gap_before / (gap_before + gap_after))
