"""The exact ROC of a set of scores, and what is read from it: AUC, EER, TAR at a given FMR.

A comparison is a match when its score is **at or above** the threshold. FMR is the share of impostor comparisons that
match, TAR (= 1 - FNMR) the share of genuine ones. Equal scores stand at one threshold and move together, so no result
depends on the order of the comparisons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.measure import Measure


@dataclass(frozen=True)
class Roc:
    """Counts of matches at every threshold that makes a difference.

    Attributes:
        thresholds: (T,) float64, falling; the first is +inf (nothing matches), then each distinct score.
        false_matches, true_matches: (T,) int64, impostor and genuine comparisons at or above the threshold.
    """

    thresholds: NDArray[np.float64]
    false_matches: NDArray[np.int64]
    true_matches: NDArray[np.int64]

    @property
    def impostor(self) -> int:
        """Number of impostor comparisons."""
        return int(self.false_matches[-1])

    @property
    def genuine(self) -> int:
        """Number of genuine comparisons."""
        return int(self.true_matches[-1])

    @property
    def fmr(self) -> NDArray[np.float64]:
        """(T,) false match rate, rising."""
        return self.false_matches / self.impostor

    @property
    def tar(self) -> NDArray[np.float64]:
        """(T,) true accept rate, rising."""
        return self.true_matches / self.genuine

    @property
    def fnmr(self) -> NDArray[np.float64]:
        """(T,) false non-match rate, falling."""
        return (self.genuine - self.true_matches) / self.genuine


def check_scores(scores: NDArray[np.floating], same: NDArray[np.bool_]) -> None:
    """Refuse scores from which no rate can be computed.

    Raises:
        DataError: another number of scores than comparisons, a score that is not finite, or only genuine or only
            impostor comparisons.
    """
    if scores.shape != same.shape or scores.ndim != 1:
        raise DataError(f"{scores.shape} scores for {same.shape} comparisons; there must be one score for each")
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        where = f"(first: comparison {bad[0]})"
        raise DataError(
            f"{len(bad)} of {quantity(len(scores), 'score')} {agree(len(bad), 'is', 'are')} not finite {where}; "
            "leave them out"
        )
    genuine = int(same.sum())
    if genuine in (0, len(same)):
        kind = "impostor" if genuine == 0 else "genuine"
        raise DataError(
            f"{agree(len(same), 'the only comparison is', f'all {len(same)} comparisons are')} {kind}; error rates "
            "need genuine and impostor comparisons"
        )


def roc_curve(scores: NDArray[np.floating], same: NDArray[np.bool_]) -> Roc:
    """The exact ROC of ``scores (M,)`` with truth ``same (M,)``; higher scores mean more alike.

    Raises:
        DataError: see :func:`check_scores`.
    """
    check_scores(scores, same)
    order = np.argsort(-scores, kind="stable")
    falling, genuine = scores[order], same[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    true_matches = np.cumsum(genuine, dtype=np.int64)[last_of_ties]
    return Roc(
        thresholds=np.concatenate([[math.inf], falling[last_of_ties]]),
        false_matches=np.concatenate([[0], last_of_ties + 1 - true_matches]),
        true_matches=np.concatenate([[0], true_matches]),
    )


def auc(roc: Roc) -> float:
    """Area under the ROC: the chance that a genuine score beats an impostor score, a tie counting one half."""
    steps = np.diff(roc.false_matches)
    twice = int(np.sum(steps * (roc.true_matches[1:] + roc.true_matches[:-1])))
    return twice / (2 * roc.genuine * roc.impostor)


def eer(roc: Roc) -> float:
    """Equal error rate: where FMR = FNMR on the straight lines between neighbouring points of the ROC.

    Let k be the first threshold at which FMR >= FNMR and j the one before it. On the line from j to k the difference
    FMR - FNMR rises from below zero to zero or more; the rate at its zero is returned.
    """
    fmr, fnmr = roc.fmr, roc.fnmr
    after = int(np.argmax(fmr >= fnmr))
    before = after - 1
    gap_before, gap_after = fnmr[before] - fmr[before], fmr[after] - fnmr[after]
    return float(fmr[before] + (fmr[after] - fmr[before]) * gap_before / (gap_before + gap_after))


def threshold_at_fmr(roc: Roc, target: float) -> float:
    """The lowest score at which no more than ``target`` of the impostor comparisons match; +inf where none does."""
    return float(roc.thresholds[_last_within(roc, target)])


def tar_at_fmr(roc: Roc, target: float) -> Measure:
    """The largest TAR whose FMR does not exceed ``target`` (no interpolation, so never too good).

    NaN with a reason when there are fewer than 1 / ``target`` impostor comparisons: a single false match would already
    be more than ``target``.
    """
    needed = math.ceil(1.0 / target - 1e-9)
    if roc.impostor < needed:
        reason = f"{quantity(roc.impostor, 'impostor comparison')}; FMR {target:g} needs at least {needed}"
        return Measure(math.nan, reason)
    return Measure(float(roc.tar[_last_within(roc, target)]))


def _last_within(roc: Roc, target: float) -> int:
    return int(np.searchsorted(roc.fmr, target, side="right")) - 1
