"""The ROC of all pairs: exact in the windows, on the grid of bins elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.all_pairs.scan import Histogram, edges
from fairface.scoring.all_pairs.windows import GENUINE, IMPOSTOR, Inside, Window
from fairface.scoring.roc import Roc


def roc_of(
    histogram: Histogram, windows: Sequence[Window] = (), inside: Sequence[Inside] = (), margin: float = 0.0
) -> Roc:
    """Matches at every edge of a bin outside of the ``windows``, and at every score within them.

    Pairs whose scores share a bin count as equal there; :func:`auc_bound` says what that does to an area.
    """
    low = edges()
    counts = histogram.from_top()
    kept = np.ones(len(low), np.bool_)
    points = [np.stack([low, counts[IMPOSTOR], counts[GENUINE]])]
    for window, of in zip(windows, inside, strict=True):
        kept &= (low >= window.high + margin) | (low <= window.low - margin)
        points.append(_exact(of, window.high + margin))
    points[0] = points[0][:, kept]
    falling = np.concatenate(points, axis=1)
    falling = falling[:, np.lexsort((-falling[2], -falling[1], -falling[0]))[: falling.shape[1]]]
    fresh = np.append(True, (np.diff(falling[1]) != 0) | (np.diff(falling[2]) != 0)) & (falling[1:].sum(axis=0) > 0)
    falling = falling[:, fresh]
    return Roc(
        thresholds=np.append(math.inf, falling[0]),
        false_matches=np.append(0, falling[1]).astype(np.int64),
        true_matches=np.append(0, falling[2]).astype(np.int64),
    )


def _exact(inside: Inside, top: float) -> NDArray[np.float64]:
    """(3, T) scores, false and true matches: just above the window, then at each of its scores."""
    scores = np.unique(np.concatenate(inside.scores))[::-1]
    matches = [
        inside.above[kind] + len(of) - np.searchsorted(np.sort(of), scores, side="left")
        for kind, of in enumerate(inside.scores)
    ]
    within = np.stack([scores, matches[IMPOSTOR], matches[GENUINE]])
    return np.concatenate([np.array([[top], [inside.above[IMPOSTOR]], [inside.above[GENUINE]]]), within], axis=1)


def auc_bound(histogram: Histogram) -> float:
    """How far the area under :func:`roc_of` can be from that of sorted scores.

    Couples in one bin count one half. Of those in neighbouring bins, float32 may have changed the order.
    """
    genuine, impostor = histogram.counts.astype(np.float64)
    alike = genuine @ impostor / 2.0
    beside = genuine[1:] @ impostor[:-1] + genuine[:-1] @ impostor[1:]
    return float((alike + beside) / (genuine.sum() * impostor.sum()))
