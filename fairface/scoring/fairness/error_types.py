"""One type of error, FNMR or FMR, of one grouping: counts, spread, rounds and shuffles."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.counts import Floats, Ints, Nodes, PairCounts
from fairface.scoring.fairness.interval import gap_interval, ratio_interval, simultaneous_level
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.permutation import ShuffledRates, shuffled_rates
from fairface.scoring.fairness.rate import Rate, cell_interval, rate_of_cell
from fairface.scoring.fairness.rounds import draw_zero_error_rates, match_variance, rate_rounds
from fairface.scoring.fairness.scalars import GroupRates
from fairface.scoring.fairness.spread import Spread, independent_in, spread


class ErrorType(ABC):
    """FNMR (of genuine comparisons) or FMR (of impostor ones) of every pair of groups.

    Args:
        nodes: who is in which group.
        spread: of all cells.
    """

    def __init__(self, nodes: Nodes, found: Spread, options: FairnessOptions) -> None:
        self.name = "fnmr" if found.genuine else "fmr"
        self.options, self.nodes, self.spread = options, nodes, found
        self.within = np.arange(nodes.groups) * (nodes.groups + 1)
        self._shuffled: dict[tuple[int, ...], ShuffledRates] = {}

    @abstractmethod
    def independent(self, cell: int) -> int:
        """How many comparisons of a cell can be picked so that no two share a subject."""

    @abstractmethod
    def raw_rounds(self, *others: ErrorType) -> list[NDArray[np.float64]]:
        """(B, K) resampled rates of all groups, of this and of ``others`` of its kind with the same subjects drawn."""

    @abstractmethod
    def shuffle(self, groups: Ints) -> ShuffledRates:
        """Rates of ``groups`` with their labels permuted among nodes."""

    @abstractmethod
    def change_to(self, after: ErrorType) -> Spread:
        """The spread of what another model, ``after``, adds to the errors of the same comparisons."""

    def rate(self, g: int, h: int) -> Rate:
        """The rate of comparisons between groups ``g`` and ``h``."""
        g, h = min(g, h), max(g, h)
        what = "genuine" if self.spread.genuine else "impostor"
        cell = g * self.nodes.groups + h
        return rate_of_cell(self.spread, cell, self.options.level, what, self.independent)

    def matrix(self) -> tuple[tuple[Rate, ...], ...]:
        """:meth:`rate` of every group (row) with every group (column)."""
        groups = range(self.nodes.groups)
        upper = {(g, h): self.rate(g, h) for g in groups for h in groups if g <= h}
        return tuple(tuple(upper[min(g, h), max(g, h)] for h in groups) for g in groups)

    def eligible(self) -> Ints:
        """The groups whose own rate rests on enough subjects."""
        enough = self.spread.subjects[self.within] >= self.options.min_subjects
        return np.flatnonzero(enough & np.isfinite(self.spread.variance[self.within]))

    def alike(self, groups: Ints) -> NDArray[np.bool_]:
        """(K,) whether all subjects of each of ``groups`` come out alike, with errors and without: no spread is seen,
        so nothing that rests on it has an interval."""
        cells = self.within[groups]
        rate = self.spread.rate[cells]
        return (rate > 0) & (rate < 1) & (self.spread.variance[cells] == 0)

    def rounds(self) -> NDArray[np.float64]:
        """(B, K) resampled rates of all groups, as spread as they should be."""
        return self.with_variance_matched(self.raw_rounds()[0])

    def paired_rounds(self, after: ErrorType) -> list[NDArray[np.float64]]:
        """:meth:`rounds` of this model and of another one with the same subjects drawn."""
        if self.options.rounds == 0 or self.nodes.subjects == 0:
            return [np.zeros((0, len(self.within)))] * 2
        raw = self.raw_rounds(after)
        return [errors.with_variance_matched(rounds) for rounds, errors in zip(raw, (self, after), strict=True)]

    def with_variance_matched(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rounds of :meth:`raw_rounds` as spread as they should be, groups without an error (or nothing else) too."""
        rounds = match_variance(raw, self.spread, self.within)
        for group, cell in enumerate(self.within.tolist()):
            share = self.spread.rate[cell]
            if share in (0.0, 1.0):
                drawn = draw_zero_error_rates(self.independent(cell), len(raw), self.options.seed + group)
                rounds[:, group] = drawn if share == 0 else 1.0 - drawn
        return rounds

    def shuffled(self, groups: Ints) -> ShuffledRates:
        """Rates of permuted ``groups``."""
        key = tuple(groups.tolist())
        if key not in self._shuffled:
            self._shuffled[key] = self.shuffle(groups)
        return self._shuffled[key]

    def of_groups(self, groups: Ints, rounds: NDArray[np.float64]) -> GroupRates:
        """What scalars about ``groups`` (two or more) need; ``rounds`` are those of :meth:`rounds`."""
        rates = self.spread.rate[self.within[groups]]
        level = self.options.level
        low, high = self.bounds(groups, simultaneous_level(len(groups), level))
        # Two gaps at once (Bonferroni), as those of FMR and FNMR are of the same subjects and may depend on each other.
        joint = self.bounds(groups, simultaneous_level(len(groups), (1.0 + level) / 2.0))
        each = self.bounds(groups, level ** (1.0 / len(groups)))
        return GroupRates(
            name=self.name,
            rates=rates,
            rounds=rounds[:, groups],
            shuffled=self.shuffled(groups).rates if self.options.rounds else np.zeros((0, len(groups))),
            worst=(float(each[0].max()), float(each[1].max())),
            gap=gap_interval(rates, low, high),
            joint_gap=gap_interval(rates, *joint),
            ratio=ratio_interval(rates, low, high),
            joint_ratio=ratio_interval(rates, *joint),
        )

    def bounds(self, groups: Ints, level: float) -> tuple[Floats, Floats]:
        """Lower and upper bounds (K,) of the rates of ``groups`` at ``level``."""
        found = [cell_interval(self.spread, int(self.within[g]), level, self.independent) for g in groups]
        low, high = np.array(found, np.float64).reshape(-1, 2).T
        return low, high


class ListedErrorType(ErrorType):
    """Of comparisons that were counted one by one."""

    def __init__(self, counts: PairCounts, options: FairnessOptions) -> None:
        self.counts, self.cells = counts, counts.cell
        super().__init__(counts.nodes, spread(counts, self.cells, counts.nodes.groups**2), options)

    def independent(self, cell: int) -> int:
        return independent_in(self.counts, self.cells)(cell)

    def raw_rounds(self, *others: ErrorType) -> list[NDArray[np.float64]]:
        counted = [_listed(of).counts.within() for of in (self, *others)]
        return rate_rounds(counted, self.options.rounds, self.options.seed)

    def shuffle(self, groups: Ints) -> ShuffledRates:
        return shuffled_rates(self.counts, groups, self.options.rounds, self.options.seed)

    def change_to(self, after: ErrorType) -> Spread:
        counts = _listed(after).counts
        return spread(counts.with_errors(counts.errors - self.counts.errors), self.cells, len(self.spread.rate))


def _listed(errors: ErrorType) -> ListedErrorType:
    assert isinstance(errors, ListedErrorType)
    return errors
