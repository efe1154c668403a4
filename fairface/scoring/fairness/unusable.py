"""Scores of which no rate means anything: distances taken for similarities, thresholds beyond all scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.roc import auc, roc_curve


def upside_down(scores: NDArray[np.floating], same: NDArray[np.bool_]) -> str:
    """A sentence where ``scores (M,)`` put genuine pairs below impostor ones (AUC under 0.5), else ""; scores that are
    not finite do not count."""
    finite = np.isfinite(scores)
    kinds = same[finite]
    if not kinds.any() or kinds.all():
        return ""
    return below_half(auc(roc_curve(scores[finite], kinds)))


def below_half(area: float) -> str:
    """The sentence of :func:`upside_down` where the AUC ``area`` is under 0.5, else ""."""
    if area >= 0.5:
        return ""
    return (
        f"the scores put genuine pairs below impostor ones (AUC {area:.3f}): higher must mean more alike; if these are "
        "distances, use --distance"
    )


def why_unusable(scores: NDArray[np.floating], same: NDArray[np.bool_], result: FairnessResult) -> tuple[str, ...]:
    """Sentences about what makes ``result`` of these scores meaningless: see :func:`upside_down`, and rates of 1."""
    return unusable_rates(upside_down(scores, same), result)


def unusable_rates(direction: str, result: FairnessResult) -> tuple[str, ...]:
    """:func:`why_unusable` where what :func:`upside_down` says is known."""
    found = [direction]
    for name, rate, what in (("FNMR", result.fnmr, "no genuine"), ("FMR", result.fmr, "every impostor")):
        if rate.comparisons and rate.errors == rate.comparisons:
            found.append(f"the {name} is 1: {what} comparison matches at the threshold {result.threshold.value:g}")
    return tuple(filter(None, found))
