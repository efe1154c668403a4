"""Two ways of scoring the same comparisons: intervals over subjects of the differences in AUC and TAR.

People are drawn, not comparisons, as in :mod:`fairface.scoring.bootstrap`; each draw counts for every way of scoring at
once, so the differences are paired. Equal scores of a way stand at one threshold, so no result depends on the order of
the list, and ways with the same scores differ by exactly 0. Where a way was trained several times, a round's number is
its mean over the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness.difference import BETTER, UNCLEAR, WORSE

ROUNDS = 1000
Floats = NDArray[np.float64]


def weighted_tar(same: NDArray[np.bool_], weights: Floats, last: NDArray[np.bool_], target: float) -> float:
    """TAR at the lowest threshold that at most ``target`` of the weighted impostor comparisons reach.

    ``same`` and ``weights`` (M,) stand in the order of falling scores; ``last`` marks the last comparison of each
    score, as equal scores reach a threshold together.
    """
    impostor = np.cumsum(np.where(same, 0.0, weights))[last]
    genuine = np.cumsum(np.where(same, weights, 0.0))[last]
    allowed = np.searchsorted(impostor, target * impostor[-1], side="right")
    return float(genuine[allowed - 1] / genuine[-1]) if allowed else 0.0


def weighted_auc(same: NDArray[np.bool_], weights: Floats, last: NDArray[np.bool_]) -> float:
    """Area under the ROC of weighted comparisons, in the order and with the ``last`` of :func:`weighted_tar`: a genuine
    score beats the impostor scores below it, and half of those that equal it."""
    impostor = np.diff(np.cumsum(np.where(same, 0.0, weights))[last], prepend=0.0)
    genuine = np.diff(np.cumsum(np.where(same, weights, 0.0))[last], prepend=0.0)
    beaten = impostor.sum() - np.cumsum(impostor) + impostor / 2.0
    return float(genuine @ beaten / (genuine.sum() * impostor.sum()))


def measure_rounds(
    ways: Mapping[str, Sequence[NDArray[np.floating]]], comparisons: Comparisons, targets: Sequence[float],
    rounds: int = ROUNDS,
) -> dict[str, Floats]:  # fmt: skip
    """By way ``(rounds, 1 + targets)``: AUC and TAR at each FMR of ``targets``, the mean over the way's runs.

    ``ways`` holds the scores ``(M,)`` of each run. The same people are drawn for all ways.
    """
    orders = {way: [_Order.of(scores) for scores in runs] for way, runs in ways.items()}
    people = int(max(comparisons.subject_a.max(), comparisons.subject_b.max())) + 1
    found = {way: np.empty((rounds, 1 + len(targets))) for way in ways}
    for number, draws in enumerate(subject_draws(people, rounds, 0)):
        first, second = draws[comparisons.subject_a], draws[comparisons.subject_b]
        weights = np.where(comparisons.same, first, first * second).astype(np.float64)
        for way, of_runs in orders.items():
            found[way][number] = np.mean([_measure(comparisons.same, weights, o, targets) for o in of_runs], axis=0)
    return found


@dataclass(frozen=True)
class _Order:
    """Comparisons by falling score, and the last one of each score."""

    falling: NDArray[np.intp]
    last: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: NDArray[np.floating]) -> _Order:
        falling = np.argsort(-scores, kind="stable")
        return cls(falling, np.append(np.diff(scores[falling]) != 0, True))


def _measure(same: NDArray[np.bool_], weights: Floats, order: _Order, targets: Sequence[float]) -> Floats:
    sorted_same, sorted_weights, last = same[order.falling], weights[order.falling], order.last
    tars = [weighted_tar(sorted_same, sorted_weights, last, target) for target in targets]
    return np.array([weighted_auc(sorted_same, sorted_weights, last), *tars])


def interval(rounds: Floats) -> tuple[float, float]:
    """95 % interval between percentiles of ``rounds (R,)``."""
    low, high = np.quantile(rounds, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """What the interval of a difference says where more is better."""
    return BETTER if low > 0 else WORSE if high < 0 else UNCLEAR
