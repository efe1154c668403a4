"""The spread of one group's error rate at many thresholds in one pass, instead of counting anew at each.

A threshold that moves one way makes errors only, or takes errors away only. So a comparison is known by the first
threshold at which it is an error, and what :mod:`fairface.scoring.fairness.spread` needs at every threshold are running
sums over these. The results are those of counting at each threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.counts import Floats, Ints, compact
from fairface.scoring.fairness.spread import Spread, leverage, spread_of_sums

_BLOCK = 4_000_000  # counts held at a time: subjects times thresholds


@dataclass(frozen=True)
class SweptComparisons:
    """M comparisons of one kind within one group, and where along the thresholds they become errors.

    Attributes:
        ends: (2, M) subjects 0..S-1 of both images; (2, 0) where they are not named.
        start: (M,) the first threshold at which each is an error; it stays one after it. T: at none.
        thresholds: T.
        genuine: whether both images of each show one subject.
    """

    ends: Ints
    start: Ints
    thresholds: int
    genuine: bool

    def spread(self) -> Spread:
        """Rates and their variance; the T cells are the thresholds."""
        total = len(self.start)
        errors = self._running(np.ones(total))
        rate = errors / max(total, 1)
        subjects, moments, pairs = 0, np.zeros((3, self.thresholds)), np.zeros((2, self.thresholds))
        if total and self.ends.shape[1]:
            subjects, moments = self._over_subjects(rate)
            pairs = pairs if self.genuine else self._over_pairs(rate)
        every = np.full(self.thresholds, float(total))
        return spread_of_sums(every, errors, np.full(self.thresholds, subjects, np.int64), moments, pairs, self.genuine)

    def _running(self, weights: Floats) -> Floats:
        """(T,) sum of the weights of what is an error at each threshold."""
        counts = np.bincount(self.start, weights, self.thresholds + 1)
        return np.asarray(np.cumsum(counts)[: self.thresholds], np.float64)

    def _over_subjects(self, rate: Floats) -> tuple[int, NDArray[np.float64]]:
        """Subjects, and the sums (3, T) over them that :func:`spread_of_sums` takes."""
        ends = self.ends[:1] if self.genuine else self.ends
        subject = compact(ends)[1].reshape(-1)
        start, total = np.tile(self.start, len(ends)), len(self.start)
        load = np.bincount(subject) / total
        order = np.argsort(subject, kind="stable")
        subject, start = subject[order], start[order]
        width = self.thresholds + 1
        step = max(_BLOCK // width, 1)
        sums = np.zeros((2, self.thresholds))
        for first in range(0, len(load), step):
            here = slice(*np.searchsorted(subject, [first, first + step]))
            share = load[first : first + step, None]
            keys = (subject[here] - first) * width + start[here]
            counts = np.bincount(keys, minlength=len(share) * width).reshape(len(share), width)
            residual = np.cumsum(counts, axis=1)[:, : self.thresholds] / total - rate * share
            squares = np.square(residual * leverage(share, len(load), self.genuine))
            sums += squares.sum(axis=0), np.square(squares).sum(axis=0)
        return len(load), np.stack([*sums, np.full(self.thresholds, np.square(load).sum())])

    def _over_pairs(self, rate: Floats) -> NDArray[np.float64]:
        """(2, T) sums over pairs of subjects of (sum of residuals)^2 and of (share of the comparisons)^2.

        Where the k-th comparison of a pair becomes an error, the square of the pair's errors grows by 2 k - 1.
        """
        low, high = self.ends.min(axis=0), self.ends.max(axis=0)
        pair = compact(low * (int(high.max()) + 1) + high)[1]
        comparisons = np.bincount(pair).astype(np.float64)
        order = np.lexsort((self.start, pair))
        first = np.concatenate([[0], np.cumsum(comparisons)])[:-1]
        rank = np.empty(len(pair))
        rank[order] = np.arange(len(pair)) - first[pair[order]] + 1
        squares, products = self._running(2 * rank - 1), self._running(comparisons[pair])
        own = np.square(comparisons).sum()
        residuals = squares - 2 * rate * products + np.square(rate) * own
        total = float(len(pair)) ** 2
        return np.stack([np.maximum(residuals, 0.0), np.full(self.thresholds, own)]) / total
