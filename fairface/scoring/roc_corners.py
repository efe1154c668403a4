"""The ROC of very many impostor scores at the thresholds that make a difference to the TAR.

Between two genuine scores only the FMR changes, along a straight line. Leaving out such points changes no area, no EER
and no TAR, and leaves two points for each genuine score instead of one for each score: IJB-C has 19,557 genuine among
15.7 million comparisons.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.roc import Roc, check_scores


def roc_corners(scores: NDArray[np.floating], same: NDArray[np.bool_]) -> Roc:
    """:func:`fairface.scoring.roc.roc_curve` of ``scores (M,)`` with truth ``same (M,)``, its corners only.

    Raises:
        DataError: see :func:`fairface.scoring.roc.check_scores`.
    """
    check_scores(scores, same)
    return corners_of(np.sort(scores[same]), np.sort(scores[~same]))


def corners_of(genuine: NDArray[np.floating], impostor: NDArray[np.floating]) -> Roc:
    """:func:`roc_corners` of genuine and impostor scores, both rising and with one score at least."""
    values, counts = np.unique(genuine, return_counts=True)
    falling = values[::-1]
    matched = np.concatenate([[0], np.cumsum(counts[::-1])])
    above = len(impostor) - np.searchsorted(impostor, falling, side="right")
    from_here = len(impostor) - np.searchsorted(impostor, falling, side="left")
    # Before each genuine score the lowest impostor score above it, if that lies below the genuine score before.
    lowest_above = impostor[np.minimum(len(impostor) - above, len(impostor) - 1)]
    before = above > np.concatenate([[0], from_here[:-1]])
    last = int(from_here[-1]) < len(impostor)
    places = np.cumsum(1 + before)  # of the genuine scores, the start being at 0
    count = int(places[-1]) + 1 + last
    thresholds, false = np.empty(count, np.float64), np.empty(count, np.int64)
    true = np.empty(count, np.int64)
    thresholds[0], false[0], true[0] = math.inf, 0, 0
    thresholds[places], false[places], true[places] = falling, from_here, matched[1:]
    corners = places[before] - 1
    thresholds[corners], false[corners], true[corners] = lowest_above[before], above[before], matched[:-1][before]
    if last:
        thresholds[-1], false[-1], true[-1] = impostor[0], len(impostor), len(genuine)
    return Roc(thresholds, false, true)
