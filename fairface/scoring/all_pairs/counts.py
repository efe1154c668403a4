"""Impostor comparisons of every image with every other, summed over pairs of nodes without listing those pairs.

How many comparisons two nodes share is the product of their numbers of images, so only errors are stored. Sums over all
pairs of nodes follow from sums over nodes. Nodes, cells and what the sums are for:
:mod:`fairface.scoring.fairness.counts` and :mod:`fairface.scoring.fairness.spread`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fairface.scoring.fairness.counts import Floats, Ints, Nodes, add_up
from fairface.scoring.fairness.spread import Spread, leverage, spread_of_sums


@dataclass(frozen=True)
class ImpostorCounts:
    """False matches between nodes of different subjects.

    Attributes:
        nodes: sorted by group, then subject.
        images: (P,) of each node.
        first, second: (Q,) pairs of nodes with errors, ``first < second``.
        errors: (Q,) how many.
    """

    nodes: Nodes
    images: Floats
    first: Ints
    second: Ints
    errors: Floats

    def minus(self, other: ImpostorCounts) -> ImpostorCounts:
        """The same comparisons with the difference of the errors."""
        parts = [(of.first, of.second) for of in (self, other)]
        first, second = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        return replace(self, first=first, second=second, errors=np.append(self.errors, -other.errors)).merged()

    def merged(self) -> ImpostorCounts:
        """Each pair of nodes once."""
        width = len(self.images)
        keys, place = np.unique(self.first * width + self.second, return_inverse=True)
        return replace(self, first=keys // width, second=keys % width, errors=add_up(place, self.errors, len(keys)))

    def table(self) -> NDArray[np.float64]:
        """(subjects, groups) images."""
        of = self.nodes.subject * self.nodes.groups + self.nodes.group
        return add_up(of, self.images, self.nodes.subjects * self.nodes.groups).reshape(-1, self.nodes.groups)

    def within(self, group: int) -> sparse.csr_matrix:
        """(subjects, subjects) errors within a group, each pair once."""
        chosen = (self.nodes.group[self.first] == group) & (self.nodes.group[self.second] == group)
        ends = (self.nodes.subject[end[chosen]] for end in (self.first, self.second))
        size = self.nodes.subjects
        return sparse.csr_matrix((self.errors[chosen], tuple(ends)), shape=(size, size))

    def spread(self) -> Spread:
        """Of every cell g * groups + h; those with g > h hold nothing."""
        groups, images = self.nodes.groups, self.table()
        cell = self.nodes.group[self.first] * groups + self.nodes.group[self.second]
        pair_images = self.images[self.first] * self.images[self.second]
        errors = add_up(cell, self.errors, groups**2)
        squares = [add_up(cell, values, groups**2) for values in (self.errors**2, self.errors * pair_images)]
        of_subject = self._errors_of_subjects(cell)
        total, subjects = np.zeros(groups**2), np.zeros(groups**2, np.int64)
        moments, pairs = np.zeros((3, groups**2)), np.zeros((2, groups**2))
        for g in range(groups):
            for h in range(g, groups):
                c = g * groups + h
                trials, every = _comparisons(images[:, g], images[:, h], g == h)
                total[c], subjects[c] = trials.sum() / 2.0, (trials > 0).sum()
                if total[c] == 0:
                    continue
                rate, share = errors[c] / total[c], trials / total[c]
                kept = share > 0
                d = (of_subject[c] / total[c] - rate * share)[kept] * leverage(share[kept], subjects[c], genuine=False)
                moments[:, c] = np.square(d).sum(), (d**4).sum(), np.square(share).sum()
                residual = squares[0][c] - 2.0 * rate * squares[1][c] + rate**2 * every
                pairs[:, c] = residual / total[c] ** 2, every / total[c] ** 2
        return spread_of_sums(total, errors, subjects, moments, pairs, genuine=False)

    def _errors_of_subjects(self, cell: Ints) -> NDArray[np.float64]:
        """(cells, subjects) errors that each subject has a part in."""
        size, cells = self.nodes.subjects, self.nodes.groups**2
        first, second = (cell * size + self.nodes.subject[end] for end in (self.first, self.second))
        sums = add_up(first, self.errors, cells * size) + add_up(second, self.errors, cells * size)
        return sums.reshape(cells, size)

    def independent(self, cell: int) -> int:
        """How many comparisons of a cell can be picked so that no two share a subject: the most that can be, where
        :func:`fairface.scoring.fairness.spread.independent_comparisons` picks greedily and may find fewer."""
        g, h = divmod(cell, self.nodes.groups)
        of = self.table()[:, [g, h]] > 0
        in_both = int(of.all(axis=1).sum())
        first, second = (int(column.sum()) for column in of.T)
        if g == h:
            return first // 2
        # Of subjects in both groups, two make one comparison; those of one group only go together first.
        alone = sorted([first - in_both, second - in_both])
        rest = in_both - min(in_both, alone[1] - alone[0])
        return alone[0] + min(in_both, alone[1] - alone[0]) + rest // 2


def _comparisons(first: Floats, second: Floats, one_group: bool) -> tuple[Floats, float]:
    """Of subjects with ``first`` and ``second (S,)`` images in two groups (or twice the same): in how many comparisons
    with others each is, and the sum over pairs of nodes of their squared number."""
    if one_group:
        return first * (first.sum() - first), float(np.square(first).sum() ** 2 - (first**4).sum()) / 2.0
    trials = first * (second.sum() - second) + second * (first.sum() - first)
    return trials, float(np.square(first).sum() * np.square(second).sum() - np.square(first * second).sum())
