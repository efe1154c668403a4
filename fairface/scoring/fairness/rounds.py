"""Rates in rounds of resampling subjects: what scalars made of several rates take their intervals from.

In each round subjects are drawn with replacement. A subject drawn w times brings the own genuine comparisons w times;
the impostor comparisons of two subjects count w_a x w_b times. With counts per pair of subjects a round is w' E w / w'
N w, so all rounds together are two products of matrices for each group (Snijders and Borgatti's vertex bootstrap,
1999).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness.counts import Floats, Ints, PairCounts, add_up
from fairface.scoring.fairness.spread import Spread

_DENSE_SHARE = 0.02  # of a matrix that is filled; below it the sparse product is faster
_DENSE_CELLS = 25_000_000
_VALUES = 4_000_000  # weights in hand at a time


def draw_chunks(subjects: int, rounds: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """(b, subjects) float64: how often each subject is drawn, ``rounds`` rows in all, some at a time."""
    draws = subject_draws(subjects, rounds, seed)
    size = max(1, _VALUES // max(subjects, 1))
    while chunk := list(islice(draws, size)):
        yield np.array(chunk, np.float64)


def rate_rounds(counted: Sequence[PairCounts], rounds: int, seed: int) -> list[NDArray[np.float64]]:
    """For each of ``counted`` (same subjects, pairs within groups only) the rates (rounds, groups) of all rounds.

    The same subjects are drawn for all of them, so that differences between them are paired. NaN where a round holds no
    comparison of a group.
    """
    nodes = counted[0].nodes
    quotients = [[_Quotient(counts, group) for group in range(nodes.groups)] for counts in counted]
    chunks: list[list[NDArray[np.float64]]] = [[] for _ in counted]
    for weights in draw_chunks(nodes.subjects, rounds, seed):
        for kept, of_groups in zip(chunks, quotients, strict=True):
            kept.append(np.stack([quotient.rates(weights) for quotient in of_groups], axis=1))
    return [np.concatenate(kept) if kept else np.zeros((0, nodes.groups)) for kept in chunks]


def draw_zero_error_rates(independent: int, rounds: int, seed: int) -> NDArray[np.float64]:
    """(B,) rates that fit a group without any error: with ``independent`` comparisons that share no subject, 95 of 100
    lie below the upper end of its exact interval, and so on for every level.

    Resampling a group without errors gives no error again and again, as if that were certain.
    """
    uniform = np.random.default_rng(seed).random(rounds)
    return np.asarray(1.0 - uniform ** (1.0 / max(independent, 1)))


def match_variance(rounds: NDArray[np.float64], spread: Spread, within: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rounds (B, K) pulled together (or apart) around the rates so that they vary as :mod:`.spread` says they should.

    ``within (K,)`` are the cells of the groups in ``spread``.
    """
    if len(rounds) == 0:
        return rounds
    rate, variance = spread.rate[within], spread.variance[within]
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a group that no round has a rate for keeps none
        factor = np.sqrt(variance / np.nanvar(rounds, axis=0))
    factor = np.where(np.isfinite(factor), factor, 1.0)
    return np.clip(rate + factor * (rounds - rate), 0.0, 1.0)


class WeightedSum:
    """The sum of a value of each pair of subjects when subject s is drawn w_s times, as a function of the draws.

    Args:
        ends: (Q,) each, the two subjects of each pair, 0..size-1; of a genuine pair the first counts.
        values: (Q,) one for each pair.
        size: how many subjects.
        genuine: a pair counts w_s times, else w_a x w_b times.
    """

    def __init__(self, ends: tuple[Ints, Ints], values: Floats, size: int, genuine: bool) -> None:
        self._genuine = genuine
        self._operator: Any = add_up(ends[0], values, size) if genuine else _matrix(ends, values, size)

    def __call__(self, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        """(b,) sums for ``drawn (b, size)``."""
        if self._genuine:
            return np.asarray(drawn @ self._operator)
        if sparse.issparse(self._operator):
            return np.asarray(np.einsum("sb,bs->b", self._operator @ drawn.T, drawn))
        return np.asarray(np.einsum("bs,bs->b", drawn @ self._operator, drawn))


def _matrix(ends: tuple[Ints, Ints], values: Floats, size: int) -> Any:
    filled = values != 0
    matrix = sparse.csr_matrix((values[filled], (ends[0][filled], ends[1][filled])), shape=(size, size))
    dense = size * size <= _DENSE_CELLS and matrix.nnz > _DENSE_SHARE * size * size
    return matrix.toarray() if dense else matrix


class _Quotient:
    """Errors over comparisons of one group as a function of how often subjects are drawn."""

    def __init__(self, counts: PairCounts, group: int) -> None:
        chosen = counts.nodes.group[counts.first] == group
        subject = counts.nodes.subject
        first, second = subject[counts.first[chosen]], subject[counts.second[chosen]]
        self.subjects, local = np.unique(np.concatenate([first, second]), return_inverse=True)
        ends = local[: len(first)], local[len(first) :]
        self.errors, self.comparisons = (
            WeightedSum(ends, values[chosen], len(self.subjects), counts.genuine)
            for values in (counts.errors, counts.comparisons)
        )

    def rates(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = weights[:, self.subjects]
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.errors(drawn) / self.comparisons(drawn)
