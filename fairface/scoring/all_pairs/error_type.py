"""FMR of all pairs: rounds and shuffles from sums over nodes and the pairs of nodes with errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fairface.scoring.all_pairs.counts import ImpostorCounts
from fairface.scoring.fairness.counts import Ints
from fairface.scoring.fairness.error_types import ErrorType
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.permutation import ShuffledRates, shuffles
from fairface.scoring.fairness.rounds import draw_chunks
from fairface.scoring.fairness.spread import Spread


class ImpostorErrors(ErrorType):
    """False matches among all pairs of images of different subjects."""

    def __init__(self, counts: ImpostorCounts, options: FairnessOptions) -> None:
        self.counts = counts
        super().__init__(counts.nodes, counts.spread(), options)

    def independent(self, cell: int) -> int:
        return self.counts.independent(cell)

    def raw_rounds(self, *others: ErrorType) -> list[NDArray[np.float64]]:
        groups, images = range(self.nodes.groups), self.counts.table()
        errors = [[_of_all_pairs(of).counts.within(group) for group in groups] for of in (self, *others)]
        found: list[list[NDArray[np.float64]]] = [[] for _ in errors]
        for drawn in draw_chunks(self.nodes.subjects, self.options.rounds, self.options.seed):
            trials = _squared_sums(drawn @ images, np.square(drawn) @ np.square(images))
            for rounds, of_groups in zip(found, errors, strict=True):
                sums = np.stack([_quadratic(matrix, drawn) for matrix in of_groups], axis=1)
                with np.errstate(invalid="ignore", divide="ignore"):
                    rounds.append(sums / trials)
        return [np.concatenate(rounds) if rounds else np.zeros((0, len(groups))) for rounds in found]

    def shuffle(self, groups: Ints) -> ShuffledRates:
        place = np.full(self.nodes.groups, -1, np.int64)
        place[groups] = np.arange(len(groups))
        of_node = place[self.nodes.group]
        used = np.flatnonzero(of_node >= 0)
        position = np.full(len(of_node), -1, np.int64)
        position[used] = np.arange(len(used))
        counts = self.counts
        chosen = (of_node[counts.first] >= 0) & (of_node[counts.second] >= 0)
        ends = position[counts.first[chosen]], position[counts.second[chosen]]
        errors = sparse.csr_matrix((counts.errors[chosen], ends), shape=(len(used), len(used)))
        own, subject = of_node[used], self.nodes.subject[used]
        by_subject = sparse.csr_matrix(
            (counts.images[used], (subject, np.arange(len(used)))), shape=(self.nodes.subjects, len(used))
        )
        real = _within(errors, by_subject, own[None], len(groups))
        rate = real[0].sum() / real[1].sum()
        rates, kept = [], []
        for labels in shuffles(own, self.options.rounds, self.options.seed):
            e, n = _within(errors, by_subject, labels, len(groups))
            mean = e.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
            with np.errstate(invalid="ignore", divide="ignore"):
                rates.append(np.clip(e / n * rate / mean, 0.0, 1.0))
            kept.append(n.sum(axis=1) / real[1].sum())
        return ShuffledRates(np.concatenate(rates), float(np.median(np.concatenate(kept))))

    def change_to(self, after: ErrorType) -> Spread:
        return _of_all_pairs(after).counts.minus(self.counts).spread()


def _of_all_pairs(errors: ErrorType) -> ImpostorErrors:
    assert isinstance(errors, ImpostorErrors)
    return errors


def _within(
    errors: sparse.csr_matrix, by_subject: sparse.csr_matrix, labels: NDArray[np.int64], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(b, groups) errors and comparisons within groups, for ``labels (b, nodes)``."""
    sums, trials = [], []
    for group in range(groups):
        chosen = (labels == group).astype(np.float64)
        sums.append(_quadratic(errors, chosen))
        images = by_subject @ chosen.T
        trials.append(_squared_sums(images.sum(axis=0), np.square(images).sum(axis=0)))
    return np.stack(sums, axis=1), np.stack(trials, axis=1)


def _quadratic(matrix: sparse.csr_matrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(b,) w' M w for each row w of ``weights (b, n)``."""
    return np.asarray(np.einsum("nb,bn->b", matrix @ weights.T, weights))


def _squared_sums(sums: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of products over all pairs of different terms, from the sum of the terms and of their squares."""
    return (np.square(sums) - squares) / 2.0
