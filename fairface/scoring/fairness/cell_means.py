"""Means of a value over cells of legitimate attributes and groups: observed, resampled, with permuted groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fairface.scoring.fairness.counts import Floats, Ints, Nodes, add_up, compact
from fairface.scoring.fairness.rounds import draw_chunks

_VALUES = 8_000_000  # products of weights in hand at a time
_LIST_WORK = 200_000_000


class CellMeans:
    """Comparisons of one kind whose images all have a group and legitimate attributes.

    Args:
        nodes, ends: see :func:`fairface.scoring.fairness.counts.node_ends`.
        legitimate: (M,) the legitimate cell of each comparison, 0..cells-1.
        cells: their number L.
        values: (M,) what is averaged.
        genuine: whether both ends are one subject.
    """

    def __init__(
        self, nodes: Nodes, ends: tuple[Ints, Ints], legitimate: Ints, cells: int, values: Floats, genuine: bool
    ) -> None:
        self.nodes, self.cells, self.genuine = nodes, cells, genuine
        width = len(nodes.subject)
        keys, place = compact((legitimate * width + np.minimum(*ends)) * width + np.maximum(*ends))
        self.first, self.second = keys // max(width, 1) % max(width, 1), keys % max(width, 1)
        self.legitimate = keys // max(width * width, 1)
        self.count = add_up(place, np.ones(len(place)), len(keys))
        self.total = add_up(place, values, len(keys))

    def _by_label(self, label: Ints, weights: tuple[Floats, ...]) -> list[Floats]:
        """(L, K) sums of each of ``weights`` over the pairs within a group, groups being ``label`` of the nodes."""
        groups = self.nodes.groups
        of_first = label[self.first]
        cell = np.where(of_first == label[self.second], self.legitimate * groups + of_first, self.cells * groups)
        size = self.cells * groups
        return [add_up(cell, weight, size + 1)[:size].reshape(self.cells, groups) for weight in weights]

    def observed(self) -> tuple[Floats, Floats]:
        """(L, K) means (NaN without comparisons), and counts."""
        total, count = self._by_label(self.nodes.group, (self.total, self.count))
        return _over(total, count), count

    def resampled(self, rounds: int, seed: int) -> Floats:
        """(B, L, K) means with subjects drawn with replacement."""
        group = self.nodes.group[self.first]
        inside = np.flatnonzero(group == self.nodes.group[self.second])
        row = (self.legitimate * self.nodes.groups + group)[inside]
        shape = (self.cells * self.nodes.groups, len(inside))
        column = np.arange(len(inside))
        sums = [sparse.csr_matrix((v[inside], (row, column)), shape=shape) for v in (self.total, self.count)]
        subject = self.nodes.subject[self.first[inside]], self.nodes.subject[self.second[inside]]
        size = max(1, _VALUES // max(len(inside), 1))
        found = []
        for weights in draw_chunks(self.nodes.subjects, rounds, seed):
            for start in range(0, len(weights), size):
                drawn = weights[start : start + size].T
                product = drawn[subject[0]] if self.genuine else drawn[subject[0]] * drawn[subject[1]]
                found.append(_over(*(matrix @ product for matrix in sums)).T)
        stacked = np.concatenate(found) if found else np.zeros((0, shape[0]))
        return stacked.reshape(len(stacked), self.cells, self.nodes.groups)

    def shuffled(self, rounds: int, seed: int) -> tuple[Floats, Floats]:
        """(B, L, K) means and counts with the groups permuted among the nodes; fewer rounds for very long lists."""
        rng = np.random.default_rng(seed)
        rounds = min(rounds, max(100, _LIST_WORK // max(1, len(self.first))))
        found = [self._by_label(rng.permutation(self.nodes.group), (self.total, self.count)) for _ in range(rounds)]
        shape = (len(found), self.cells, self.nodes.groups)
        total, count = (np.array([pair[kind] for pair in found]).reshape(shape) for kind in (0, 1))
        return _over(total, count), count


def _over(total: NDArray[np.float64], count: NDArray[np.float64]) -> Floats:
    return np.divide(total, count, where=count > 0, out=np.full(np.shape(total), np.nan))
