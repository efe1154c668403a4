"""From a similarity to a decision: same, not same, or undecided between two thresholds.

With the thresholds at a low and at a high FMR, a pair is the **same** person when it scores so high that no more than
the low FMR of different people do, and **not same** when it does not even score as high as the high FMR of them. A pair
in between is **undecided**. With one threshold nothing is undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fairface.errors import ConfigError, DataError
from fairface.quantity import quantity
from fairface.scoring.operating_point import OperatingPoint

SAME, NOT_SAME, UNDECIDED = "same", "not same", "undecided"
_ROUNDING = 1e-6  # of a cosine in float32
MOST = 2  # thresholds of a decision


def choose_points(points: Sequence[OperatingPoint], fmr: Sequence[float] = ()) -> tuple[OperatingPoint, OperatingPoint]:
    """The points above which a pair is the same and below which it is not: those with the lowest and the highest FMR.

    Args:
        points: of one model, the lowest FMR first.
        fmr: one or two of their target FMRs; empty: all of them.

    Raises:
        ConfigError: three FMRs or more, or one that has no point.
    """
    known = {point.target: point for point in points}
    for target in fmr:
        if target not in known:
            there = ", ".join(f"{target:g}" for target in known)
            raise ConfigError(f"there is no threshold at FMR {target:g}; choose of {there}, or save one at that FMR")
    if len(fmr) > MOST:
        raise ConfigError(f"{len(fmr)} FMRs; give one, or two between which nothing is decided")
    chosen = sorted(fmr or known)
    return known[chosen[0]], known[chosen[-1]]


def classify(similarity: ArrayLike, same: float, not_same: float) -> Any:
    """``same`` where ``similarity`` is at or above ``same``, ``not same`` where it is below ``not_same``, else
    ``undecided``.

    Returns:
        A text for one number, else an array of texts with the shape of ``similarity``.

    Raises:
        DataError: a similarity that is not finite, or that is no cosine.
    """
    values = np.asarray(similarity, np.float64)
    if not np.isfinite(values).all():
        told = quantity(int((~np.isfinite(values)).sum()), "similarity is", "similarities are")
        raise DataError(f"{told} not finite; embed these images again")
    beyond = np.abs(values) > 1 + _ROUNDING
    if beyond.any():
        told = quantity(int(beyond.sum()), "similarity lies", "similarities lie")
        raise DataError(
            f"{told} outside -1 to 1 (first: {values[beyond][0]:g}); give cosines (fairface.similarity), no "
            "percentages and no distances"
        )
    decisions = np.where(values >= same, SAME, np.where(values < not_same, NOT_SAME, UNDECIDED))
    return decisions if decisions.ndim else str(decisions)


def explain(same: OperatingPoint, not_same: OperatingPoint, data: str) -> tuple[str, ...]:
    """What the decisions of :func:`classify` mean, a sentence each; ``data`` names the set of the thresholds."""
    sentences = [f"{SAME}: {same.threshold:.4f} or more. In {data}, {same}"]
    of_all = quantity(not_same.genuine, "genuine comparison is", "genuine comparisons are")
    missed = f"{not_same.fnmr:.2g} of {of_all} below it"
    if same == not_same:
        return (*sentences, f"{NOT_SAME}: less. In {data}, {missed}")
    return (
        *sentences,
        f"{NOT_SAME}: less than {not_same.threshold:.4f}. In {data}, {not_same}; {missed}",
        f"{UNDECIDED}: between the two",
    )
