"""A confidence interval for the accuracy that k-fold cross-validation gives, and for its mean over several sets.

The folds' accuracies are taken as independent measurements with one mean: Student's t for one set, the degrees of
freedom of Welch and Satterthwaite for several. Sets that name no subjects allow no interval over subjects; where a file
keeps the order of its protocol, each person is in one fold, so folds vary as people do. Sources: the standard error
of the mean over the ten folds that LFW's protocol reports (Huang et al. 2007); Satterthwaite 1946.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.errors import DataError


def accuracy_interval(
    accuracies: Sequence[NDArray[np.floating]], pairs: Sequence[int], level: float = 0.95
) -> tuple[float, float]:
    """Low and high end for the mean over sets of the mean accuracy over folds.

    Args:
        accuracies: each set's (K,) accuracies by fold.
        pairs: each set's number of pairs, used where no fold differs from the others: then the exact binomial interval
            of all pairs (Clopper and Pearson 1934) stands in, since t would claim certainty.
        level: of confidence, between 0 and 1.

    Raises:
        DataError: no set, a set with fewer than two folds, or another level.
    """
    if not accuracies or min(map(len, accuracies)) < 2 or not 0 < level < 1:
        raise DataError("an interval needs a set, two folds or more in each, and a level between 0 and 1")
    count = len(accuracies)
    mean = float(np.mean([np.mean(values) for values in accuracies]))
    variances = np.array([np.var(values, ddof=1) / len(values) for values in accuracies])
    total = float(variances.sum())
    if total <= np.finfo(np.float64).eps:
        return _exact(mean, int(sum(pairs)), level)
    freedom = total**2 / float(np.sum(variances**2 / [len(values) - 1 for values in accuracies]))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * np.sqrt(total) / count
    return max(0.0, mean - half), min(1.0, mean + half)


def accuracy_difference_interval(
    first: NDArray[np.floating], second: NDArray[np.floating], paired: bool, level: float = 0.95
) -> tuple[float, float] | None:
    """Low and high end for the second set's mean accuracy over folds minus the first's; None where no fold differs from
    the others, since t would claim certainty.

    Args:
        first, second: (K,) and (L,) accuracies by fold.
        paired: fold k of both has the same pairs: the differences by fold are the measurements, K - 1 degrees of
            freedom; otherwise the two means vary independently (Welch).
        level: of confidence, between 0 and 1.

    Raises:
        DataError: fewer than two folds, or paired sets with other numbers of folds.
    """
    if min(len(first), len(second)) < 2 or (paired and len(first) != len(second)):
        raise DataError(f"{len(first)} and {len(second)} folds give no interval; use two or more, as many in each")
    middle = float(np.mean(second) - np.mean(first))
    sets = [np.asarray(second) - np.asarray(first)] if paired else [first, second]
    variances = np.array([np.var(values, ddof=1) / len(values) for values in sets])
    total = float(variances.sum())
    if total <= np.finfo(np.float64).eps:
        return None
    freedom = total**2 / float(np.sum(variances**2 / [len(values) - 1 for values in sets]))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * np.sqrt(total)
    return middle - half, middle + half


def _exact(share: float, pairs: int, level: float) -> tuple[float, float]:
    right = round(share * pairs)
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, right, pairs - right + 1)) if right else 0.0
    high = float(stats.beta.ppf(1 - tail, right + 1, pairs - right)) if right < pairs else 1.0
    return low, high
