"""The threshold that an FMR sets, as a function of how often subjects are drawn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.scoring.fairness.counts import Floats, Ints, count_pairs, nodes_of
from fairface.scoring.fairness.rounds import WeightedSum
from fairface.scoring.fairness.spread import Spread, spread
from fairface.scoring.fairness.threshold import SharedThreshold

_DEPTH = 2.0  # times the target: the share of the highest impostor scores that is looked at first
_LEAST = 256  # impostor scores that are looked at first
_VALUES = 4_000_000  # weights in hand at a time
_TINY = 1e-9  # rounding errors


class ResettableThreshold:
    """The threshold of one model, set at an FMR on impostor comparisons, and what it would be for other subjects.

    Args:
        scores: (M,) of comparisons that count.
        comparisons: these M.
        threshold: that was set on them.
        named: (S,) the numbers of all subjects that may be drawn, in rising order.
    """

    def __init__(self, scores: Floats, comparisons: Comparisons, threshold: SharedThreshold, named: Ints) -> None:
        self._threshold, self._every = threshold, np.unique(scores)
        impostor = ~comparisons.same
        order = np.argsort(-scores[impostor], kind="stable")
        self._falling = scores[impostor][order]
        shown = np.stack([comparisons.subject_a, comparisons.subject_b])[:, impostor]
        self._ends = np.searchsorted(named, shown)[:, order]
        self._matched = int(np.searchsorted(-self._falling, -threshold.value, side="right"))
        nodes, node = nodes_of(np.zeros_like(self._ends), self._ends, 1)
        wrong = (np.arange(len(order)) < self._matched).astype(np.float64)
        counts = count_pairs(nodes, (node[0], node[1]), wrong, np.ones(len(order), bool), genuine=False)
        self._total = WeightedSum(
            (nodes.subject[counts.first], nodes.subject[counts.second]), counts.comparisons, nodes.subjects, False
        )
        self._drawn = np.unique(self._ends)  # subjects without an impostor comparison set no threshold
        self.spread: Spread = spread(counts, counts.cell, 1)

    def reset(self, drawn: NDArray[np.float64]) -> tuple[Floats, Floats]:
        """For ``drawn (b, S)`` the thresholds (b,), and the FMR (b,) at the one that was set; NaN without impostors."""
        total, every = self._total(drawn[:, self._drawn]), len(self._falling)
        beyond, matched = np.zeros(len(drawn), np.int64), np.zeros(len(drawn))
        depth = min(max(_LEAST, self._matched, math.ceil(_DEPTH * self._threshold.target * every)), every)
        left = np.arange(len(drawn))  # rounds whose threshold lies deeper
        while len(left):
            for rows in np.array_split(left, math.ceil(len(left) * depth / _VALUES)):
                beyond[rows], matched[rows] = self._beyond(drawn[rows], total[rows], depth)
            left = left[beyond[left] == depth] if depth < every else left[:0]
            depth = min(4 * depth, every)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0, self._above(beyond), np.nan), matched / total

    def factor(self, fmr: Floats) -> float:
        """How much farther from the threshold that was set those of rounds should lie, whose FMR at it is ``fmr``.

        Resampling counts the noise of each pair of subjects three times; see :mod:`.spread`.
        """
        varies = float(np.nanvar(fmr))
        found = math.sqrt(float(self.spread.variance[0]) / varies) if varies > 0 else 1.0
        return found if math.isfinite(found) and found > 0 else 1.0

    def _beyond(self, drawn: NDArray[np.float64], total: Floats, depth: int) -> tuple[Ints, Floats]:
        """Of the ``depth`` highest impostor scores the place of the one too many, and the matches at the threshold."""
        one, other = self._ends[:, :depth]
        matches = np.cumsum(drawn[:, one] * drawn[:, other], axis=1)
        allowed = np.floor(self._threshold.target * total + _TINY)
        at = matches[:, self._matched - 1] if self._matched else np.zeros(len(drawn))
        return (matches <= allowed[:, None]).sum(axis=1), at

    def _above(self, beyond: Ints) -> Floats:
        """The lowest score of all above the impostor scores at these places; where none is too many, the lowest."""
        ends = np.append(self._falling, -math.inf)[beyond]
        place = np.searchsorted(self._every, ends, side="right")
        return np.append(self._every, np.nextafter(self._every[-1], math.inf))[place]
