"""Gap cut: a pair moves away from the gap that separates its images' high scores from their low ones.

Source: the winning entry of the ECCV 2020 fair-face challenge (its constants are the defaults here). Its remarks speak
of the first gap from above; its program, and this one, takes the last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.transductive.pairs import Floats, Ints, checked_pairs


def gap_cut(
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    scores: NDArray[np.floating],
    *,
    smallest: float = 0.1,
    step: float = 0.1,
    slack: float = 1e-3,
) -> Floats:
    """(M,) scores, each moved by ``step`` x gap for each of its two images that has a gap.

    The scores of an image, sorted, have a gap where two neighbours differ by more than ``smallest``; the lowest such
    gap counts. A pair moves up when its score is more than ``slack`` above the lower end of the gap, else down. An
    image's pair with itself makes no gap.

    Raises:
        DataError: see :func:`fairface.scoring.transductive.pairs.checked_pairs`.
    """
    first, second, values = checked_pairs(a, b, scores)
    if len(values) == 0:
        return values
    below, gap = lowest_gaps(first, second, values, smallest)
    # Both images look at the score as it was given, and their two moves are added first: which of them is named first
    # makes no difference, not even in the last bit.
    moves = [np.where(values > below[image] + slack, step, -step) * gap[image] for image in (first, second)]
    return values + (moves[0] + moves[1])


def lowest_gaps(a: Ints, b: Ints, scores: Floats, smallest: float) -> tuple[Floats, Floats]:
    """(N,) the lower end and (N,) the size of each image's lowest gap; both 0 where it has none."""
    count = int(max(a.max(), b.max())) + 1
    others = a != b
    image = np.concatenate([a[others], b[others]])
    score = np.concatenate([scores[others], scores[others]])
    order = np.lexsort((-score, image))
    image, score = image[order], score[order]
    size = score[:-1] - score[1:]
    found = np.flatnonzero((image[:-1] == image[1:]) & (size > smallest))
    of_image = image[found]
    last = found[np.append(of_image[1:] != of_image[:-1], True)[: len(found)]]
    below, gap = np.zeros(count), np.zeros(count)
    below[image[last]], gap[image[last]] = score[last + 1], size[last]
    return below, gap
