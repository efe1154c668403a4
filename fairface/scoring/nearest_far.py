"""TAR at the nearest FAR, as insightface and AdaFace read it off scikit-learn's ROC for IJB.

Their convention differs from :func:`fairface.scoring.roc.tar_at_fmr` twice: the FAR may lie above the target, and only
points that scikit-learn keeps count. ``roc_curve(drop_intermediate=True)`` drops a point where the step before it and
the step behind it are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.roc import Roc


def nearest_far(roc: Roc, impostor: NDArray[np.floating], target: float) -> tuple[float, float]:
    """FAR and TAR of the point nearest to ``target``; of equally near ones that of the highest TAR.

    Args:
        roc: the corners (:mod:`fairface.scoring.roc_corners`).
        impostor: the impostor scores, rising; the points between two corners are found from them.
        target: the FAR asked for, below 1. Below 1 / impostors the result is the TAR before the first false accept.
    """
    kept = np.flatnonzero(_kept(roc))
    false, true = roc.false_matches[kept], roc.true_matches[kept]
    beyond = int(np.searchsorted(false / roc.impostor, target, side="right"))  # the first point above the target
    if true[beyond] == true[beyond - 1]:
        between = _kept_between(impostor, int(false[beyond - 1]), int(false[beyond]), beyond == 1)
        false = np.insert(false, beyond, between)
        true = np.insert(true, beyond, np.full(len(between), true[beyond]))
    far = false / roc.impostor
    place = len(far) - 1 - int(np.argmin(np.abs(far - target)[::-1]))  # the last of equals has the highest TAR
    return float(far[place]), float(true[place] / roc.genuine)


def _kept(roc: Roc) -> NDArray[np.bool_]:
    """Which corners scikit-learn keeps: not those between two equal steps, but the first threshold in any case."""
    steps = np.diff(np.stack([roc.false_matches, roc.true_matches]))
    same = (steps[:, 1:] == steps[:, :-1]).all(axis=0)
    kept = np.concatenate([[True], ~same, [True]])
    kept[1] = True
    return kept


def _kept_between(impostor: NDArray[np.floating], low: int, high: int, start: bool) -> NDArray[np.int64]:
    """False matches at the points that scikit-learn keeps between two corners with ``low`` and ``high`` of them; at the
    ``start`` of the curve it keeps the first threshold in any case."""
    run = impostor[len(impostor) - high : len(impostor) - low][::-1]
    ends = np.append(np.flatnonzero(np.diff(run)) + 1, len(run))
    steps = np.diff(np.append(0, ends))
    kept = steps[1:] != steps[:-1]
    kept[:1] |= start
    return low + ends[:-1][kept].astype(np.int64)
