"""Identification by scores that exist already, of any system."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.identification.one_to_many import FPIRS, RANKS, identification_result, impostors_kept
from fairface.scoring.identification.result import IdentificationResult
from fairface.scoring.identification.search import Searches, searched, sorted_entries


def identify_scores(
    scores: NDArray[np.floating],
    subjects: NDArray[np.integer],
    gallery_subjects: NDArray[np.integer],
    *,
    several: bool = False,
    ranks: Sequence[int] = RANKS,
    fpirs: Sequence[float] = FPIRS,
    rounds: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> IdentificationResult:
    """As :func:`fairface.scoring.identification.identify`, for ``scores (P, G)`` of probes of ``subjects (P,)`` with
    the entries of ``gallery_subjects (G,)``; higher means more alike.

    Raises:
        DataError: as :func:`fairface.scoring.identification.identify`, and scores that are not finite or of another
            shape.

    >>> import numpy as np
    >>> from fairface.scoring.identification import identify_scores
    >>> scores = np.array([[0.9, 0.1], [0.4, 0.5], [0.8, 0.3], [0.5, 0.6]])
    >>> result = identify_scores(scores, np.array([7, 8, 8, 9]), np.array([7, 8]), ranks=(1, 2), fpirs=())
    >>> result.mated, result.non_mated, round(result.ranks[1], 3), result.ranks[2]
    (3, 1, 0.667, 1.0)
    """
    found = _search(
        np.asarray(scores), np.asarray(subjects), np.asarray(gallery_subjects), several,
        impostors_kept(len(subjects), ranks, fpirs),
    )  # fmt: skip
    return identification_result(found, ranks, fpirs, rounds, level, seed)


def _search(
    scores: NDArray[np.floating],
    subjects: NDArray[np.integer],
    gallery_subjects: NDArray[np.integer],
    several: bool,
    keep: int,
) -> Searches:
    sizes = len(subjects), len(gallery_subjects)
    if scores.shape != sizes or not sizes[0]:
        raise DataError(
            f"scores have shape {scores.shape}; there are {quantity(sizes[0], 'probe')} and "
            f"{quantity(sizes[1], 'gallery entry')}"
        )
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad):
        raise DataError(
            f"{len(bad)} of {quantity(len(scores), 'probe')} {agree(len(bad), 'has', 'have')} scores that are not "
            f"finite (first: {bad[0]}); leave them out or score them again"
        )
    order = sorted_entries(gallery_subjects, several)

    def given(part: slice, room: NDArray[np.float64]) -> None:
        room[:] = scores[part][:, order.entries]

    return searched(given, subjects, order, keep)
