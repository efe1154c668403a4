"""What max-type numbers would be if groups meant nothing: labels of groups permuted among subjects.

Even where all groups are alike, the largest of several noisy rates lies above the smallest. The same scalars with
permuted labels show by how much. Permuted groups are as large as the real ones. Comparisons that were between groups
come to lie within one and the other way round; because impostors of two groups are often easier to tell apart, the
permuted rates are scaled to the mean of the real ones. Where a list compares subjects within groups only, permuted
groups keep only some of the comparisons: the null is then wider than it should be, and ``kept`` tells how much is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fairface.scoring.fairness.counts import Floats, Ints, PairCounts

_DENSE_NODES = 4000
_BATCH = 100
_LIST_WORK = 200_000_000  # pairs of nodes looked at, all shuffles together
_FEWEST = 200


@dataclass(frozen=True)
class ShuffledRates:
    """Rates (B, K) of permuted groups, and the median share (of the real number) of comparisons that they hold.

    B is smaller than what was asked for where there are too many subjects for dense sums.
    """

    rates: NDArray[np.float64]
    kept: float


def shuffled_rates(counts: PairCounts, eligible: Ints, rounds: int, seed: int) -> ShuffledRates:
    """Rates of the ``eligible`` groups (K,) in ``rounds`` shuffles of labels among their nodes.

    ``counts`` holds the comparisons between groups too.
    """
    place = np.full(counts.nodes.groups, -1, np.int64)
    place[eligible] = np.arange(len(eligible))
    node_group = place[counts.nodes.group]
    chosen = (node_group[counts.first] >= 0) & (node_group[counts.second] >= 0)
    used = np.flatnonzero(node_group >= 0)
    position = np.full(len(node_group), -1, np.int64)
    position[used] = np.arange(len(used))
    first, second = position[counts.first[chosen]], position[counts.second[chosen]]
    errors, comparisons = counts.errors[chosen], counts.comparisons[chosen]
    own = node_group[used]
    real = own[first] == own[second]
    real_errors, real_comparisons = errors[real].sum(), comparisons[real].sum()
    sums = _Sums(len(used), first, second, errors, comparisons)
    rates, kept = [], []
    for labels in shuffles(own, sums.affordable(rounds), seed):
        e, n = sums.within(labels, len(eligible))
        mean = e.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            rates.append(np.clip(e / n * (real_errors / real_comparisons) / mean, 0.0, 1.0))
        kept.append(n.sum(axis=1) / real_comparisons)
    return ShuffledRates(np.concatenate(rates), float(np.median(np.concatenate(kept))))


def shuffles(labels: Ints, rounds: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    for start in range(0, rounds, _BATCH):
        yield np.stack([rng.permutation(labels) for _ in range(min(_BATCH, rounds - start))])


class _Sums:
    """Errors and comparisons within groups as a function of the labels of all nodes."""

    def __init__(self, nodes: int, first: Ints, second: Ints, errors: Floats, comparisons: Floats) -> None:
        values_of = (errors, comparisons)
        self._lists = [(first[v != 0], second[v != 0], v[v != 0]) for v in values_of]
        diagonal = bool((first == second).all())
        # Single precision is enough for a null and halves the time.
        self._dense = None if diagonal or nodes > _DENSE_NODES else [
            sparse.csr_matrix((values, (first, second)), shape=(nodes, nodes)).astype(np.float32)
            for values in values_of
        ]  # fmt: skip
        if self._dense is not None:
            self._dense[1] = self._dense[1].toarray()

    def affordable(self, rounds: int) -> int:
        """``rounds``, or fewer where each takes long; never below ``_FEWEST`` if more are asked for."""
        if self._dense is not None:
            return rounds
        return min(rounds, max(_FEWEST, _LIST_WORK // max(1, len(self._lists[1][0]))))

    def within(self, labels: NDArray[np.int64], groups: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(b, groups) sums for labels (b, nodes)."""
        if self._dense is None:
            return self._by_list(labels, groups)
        result = []
        for matrix in self._dense:
            columns = []
            for group in range(groups):
                chosen = (labels == group).astype(np.float32)
                columns.append(((chosen @ matrix) * chosen).sum(axis=1, dtype=np.float64))
            result.append(np.stack(columns, axis=1))
        return result[0], result[1]

    def _by_list(self, labels: NDArray[np.int64], groups: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        result = np.empty((2, len(labels), groups))
        for row, label in enumerate(labels.astype(np.int16)):
            for kind, (first, second, values) in enumerate(self._lists):
                of_first = label[first]
                place = np.where(of_first == label[second], of_first, groups)
                result[kind, row] = np.bincount(place, values, groups + 1)[:groups]
        return result[0], result[1]
