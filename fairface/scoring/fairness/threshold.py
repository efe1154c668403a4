"""The one threshold that all groups share, and how it was set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.measure import number
from fairface.scoring.roc import check_scores, roc_curve, threshold_at_fmr

SAME_DATA = "the evaluated comparisons themselves"


@dataclass(frozen=True)
class SharedThreshold:
    """A comparison matches when its score is at or above ``value``.

    Attributes:
        value: the score.
        how: how it was set, for people.
        target: the FMR aimed at; NaN where the threshold was given.
        optimistic: it was fixed on images that it is applied to, so their FMR is met by construction.
        same_people: it was fixed on people whom it is applied to, and no names tell whether on the same images.
    """

    value: float
    how: str
    target: float = math.nan
    optimistic: bool = False
    same_people: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "value": self.value, "how": self.how, "target_fmr": number(self.target), "optimistic": self.optimistic,
            "same_people": self.same_people,
        }  # fmt: skip


def given_threshold(value: float) -> SharedThreshold:
    """A threshold that the user names.

    Raises:
        DataError: it is not finite.
    """
    if not math.isfinite(value):
        raise DataError(f"threshold {value!r} cannot be used; give a finite score")
    return SharedThreshold(float(value), "given")


def calibrated_threshold(
    scores: NDArray[np.floating], same: NDArray[np.bool_], target: float, source: str = SAME_DATA
) -> SharedThreshold:
    """The lowest score at which no more than ``target`` of the impostor comparisons of a calibration set match.

    ``source`` names that set. It should hold other subjects than the comparisons that are then evaluated.

    Raises:
        DataError: too few impostor comparisons for this FMR, no score that keeps it, or unusable scores.
    """
    scores = np.asarray(scores, np.float64)
    check_scores(scores, same)
    roc = roc_curve(scores, same)
    check_target(target, roc.impostor, source)
    value = threshold_at_fmr(roc, target)
    if not math.isfinite(value):
        raise DataError(
            f"{source}: the highest score is shared by more than {target:g} of the impostor comparisons, so no "
            "threshold keeps that FMR; use a higher FMR or scores with more digits"
        )
    matches = int((scores[~same] >= value).sum())
    how = (
        f"FMR {target:g} on {source} ({matches} of {quantity(roc.impostor, 'impostor comparison')} "
        f"{agree(matches, 'matches', 'match')})"
    )
    return SharedThreshold(value, how, float(target), source == SAME_DATA)


def check_target(target: float, impostor: int, source: str) -> None:
    """Refuse an FMR at which no threshold can be set on ``impostor`` comparisons of ``source``.

    Raises:
        DataError: it is not between 0 and 1, or below one in ``impostor``.
    """
    if not 0.0 < target < 1.0:
        raise DataError(f"FMR {target!r} cannot be used; it must lie between 0 and 1, such as 0.001")
    needed = math.ceil(1.0 / target - 1e-9)
    if impostor < needed:
        raise DataError(
            f"{source}: {quantity(impostor, 'impostor comparison')} cannot set a threshold at FMR {target:g}; "
            f"it needs at least {needed}, or a higher FMR"
        )


def check_reach(threshold: SharedThreshold, scores: NDArray[np.floating]) -> None:
    """Refuse a threshold that separates nothing.

    Raises:
        DataError: all scores lie on one side of it.
    """
    if len(scores) and not scores.min() < threshold.value <= scores.max():
        side = "above every score" if threshold.value > scores.max() else "not above any score"
        raise DataError(
            f"threshold {threshold.value:g} ({threshold.how}) is {side}: they go from {scores.min():g} to "
            f"{scores.max():g}; give one between them, on the scale of these scores"
        )
