"""One type of error, FNMR or FMR, of one grouping: counts, spread, rounds and shuffles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.counts import Floats, Ints, Nodes, count_pairs
from fairface.scoring.fairness.interval import gap_interval, ratio_interval, simultaneous_level
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.permutation import ShuffledRates, shuffled_rates
from fairface.scoring.fairness.rate import Rate, cell_interval, rate_of_cell
from fairface.scoring.fairness.rounds import draw_zero_error_rates, match_variance, rate_rounds
from fairface.scoring.fairness.scalars import GroupRates
from fairface.scoring.fairness.spread import independent_comparisons, spread


class ErrorType:
    """FNMR (of genuine comparisons) or FMR (of impostor ones) of every pair of groups.

    Args:
        nodes, ends: see :func:`fairface.scoring.fairness.counts.node_ends`.
        wrong: (M,) whether each comparison went wrong.
        chosen: (M,) the comparisons of this kind.
        genuine: which kind it is.
    """

    def __init__(
        self, nodes: Nodes, ends: tuple[Ints, Ints], wrong: Floats, chosen: NDArray[np.bool_], genuine: bool,
        options: FairnessOptions,
    ) -> None:  # fmt: skip
        self.name = "fnmr" if genuine else "fmr"
        self.options = options
        self.counts = count_pairs(nodes, ends, wrong, chosen, genuine)
        self.cells = self.counts.cell
        self.spread = spread(self.counts, self.cells, nodes.groups**2)
        self.within = np.arange(nodes.groups) * (nodes.groups + 1)
        self._shuffled: dict[tuple[int, ...], ShuffledRates] = {}

    def rate(self, g: int, h: int) -> Rate:
        """The rate of comparisons between groups ``g`` and ``h``."""
        g, h = min(g, h), max(g, h)
        what = "genuine" if self.counts.genuine else "impostor"
        cell = g * self.counts.nodes.groups + h
        return rate_of_cell(self.counts, self.cells, self.spread, cell, self.options.level, what)

    def matrix(self) -> tuple[tuple[Rate, ...], ...]:
        """:meth:`rate` of every group (row) with every group (column)."""
        groups = range(self.counts.nodes.groups)
        upper = {(g, h): self.rate(g, h) for g in groups for h in groups if g <= h}
        return tuple(tuple(upper[min(g, h), max(g, h)] for h in groups) for g in groups)

    def eligible(self) -> Ints:
        """The groups whose own rate rests on enough subjects."""
        enough = self.spread.subjects[self.within] >= self.options.min_subjects
        return np.flatnonzero(enough & np.isfinite(self.spread.variance[self.within]))

    def rounds(self) -> NDArray[np.float64]:
        """(B, K) resampled rates of all groups, as spread as they should be."""
        raw = rate_rounds([self.counts.within()], self.options.rounds, self.options.seed)[0]
        return self.with_variance_matched(raw)

    def with_variance_matched(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rounds of :func:`rate_rounds` as spread as they should be, groups without an error (or nothing else) too."""
        rounds = match_variance(raw, self.spread, self.within)
        for group, cell in enumerate(self.within):
            share = self.spread.rate[cell]
            if share in (0.0, 1.0):
                independent = independent_comparisons(self.counts.only(self.cells == cell))
                drawn = draw_zero_error_rates(independent, len(raw), self.options.seed + group)
                rounds[:, group] = drawn if share == 0 else 1.0 - drawn
        return rounds

    def shuffled(self, groups: Ints) -> ShuffledRates:
        """Rates of shuffled ``groups``."""
        key = tuple(groups.tolist())
        if key not in self._shuffled:
            self._shuffled[key] = shuffled_rates(self.counts, groups, self.options.rounds, self.options.seed)
        return self._shuffled[key]

    def of_groups(self, groups: Ints, rounds: NDArray[np.float64]) -> GroupRates:
        """What scalars about ``groups`` (two or more) need; ``rounds`` are those of :meth:`rounds`."""
        rates = self.spread.rate[self.within[groups]]
        low, high = self.bounds(groups, simultaneous_level(len(groups), self.options.level))
        each = self.bounds(groups, self.options.level ** (1.0 / len(groups)))
        return GroupRates(
            name=self.name,
            rates=rates,
            rounds=rounds[:, groups],
            shuffled=self.shuffled(groups).rates if self.options.rounds else np.zeros((0, len(groups))),
            worst=(float(each[0].max()), float(each[1].max())),
            gap=gap_interval(rates, low, high),
            ratio=ratio_interval(rates, low, high),
        )

    def bounds(self, groups: Ints, level: float) -> tuple[Floats, Floats]:
        """Lower and upper bounds (K,) of the rates of ``groups`` at ``level``."""
        found = [cell_interval(self.counts, self.cells, self.spread, int(self.within[g]), level) for g in groups]
        low, high = np.array(found, np.float64).reshape(-1, 2).T
        return low, high
