"""Identification of probes in a gallery: everything that is reported about it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.identification.bootstrap import identification_intervals
from fairface.scoring.identification.measures import det_curve, per_probe_recall, tpir_at_fpir
from fairface.scoring.identification.result import IdentificationResult
from fairface.scoring.identification.search import Gallery, Searches, search

RANKS = (1, 5, 10)
FPIRS = (0.01, 0.1)


def identify(
    probes: NDArray[np.floating],
    subjects: NDArray[np.integer],
    gallery: Gallery,
    *,
    several: bool = False,
    ranks: Sequence[int] = RANKS,
    fpirs: Sequence[float] = FPIRS,
    rounds: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> IdentificationResult:
    """Search ``gallery`` for each of ``probes (P, D)`` of ``subjects (P,)``; a subject who is not enrolled makes a
    non-mated search.

    Args:
        several: a subject may have several entries (see :func:`fairface.scoring.identification.search.search`).
        ranks, fpirs: what is reported.
        rounds: > 0 adds bootstrap intervals over the probes' subjects at ``level``; the gallery stays.

    Raises:
        DataError: no mated search, a rank or FPIR out of range, or what
            :func:`fairface.scoring.identification.search.search` refuses.

    >>> import numpy as np
    >>> from fairface.scoring.identification import Gallery, identify
    >>> gallery = Gallery(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([7, 8]))  # two people, one entry each
    >>> probes = np.array([[0.9, 0.1], [0.4, 0.5], [0.8, 0.3], [0.5, 0.6]])
    >>> result = identify(probes, np.array([7, 8, 8, 9]), gallery, ranks=(1, 2), fpirs=())  # 9 is not enrolled
    >>> result.mated, result.non_mated, round(result.ranks[1], 3), result.ranks[2]
    (3, 1, 0.667, 1.0)
    """
    found = search(probes, subjects, gallery, several, impostors_kept(len(probes), ranks, fpirs))
    return identification_result(found, ranks, fpirs, rounds, level, seed)


def impostors_kept(probes: int, ranks: Sequence[int], fpirs: Sequence[float]) -> int:
    """How many of the highest impostor scores the rates at ``fpirs`` need.

    Raises:
        DataError: a rank or FPIR out of range.
    """
    for target in fpirs:
        if not 0.0 < target < 1.0:
            raise DataError(f"FPIR {target!r} cannot be used; it must lie between 0 and 1, such as 0.01")
    if min(ranks, default=1) < 1:
        raise DataError(f"rank {min(ranks)} cannot be used; the best entry has rank 1")
    return max((math.ceil(probes * target) for target in fpirs), default=0)


def identification_result(
    found: Searches, ranks: Sequence[int], fpirs: Sequence[float], rounds: int, level: float, seed: int
) -> IdentificationResult:
    """Everything that :func:`identify` reports, of searches that were made.

    Raises:
        DataError: no mated search.
    """
    if not found.mated.any():
        raise DataError(
            f"none of the {quantity(len(found.rank), 'probe')} shows a subject of the gallery; give lists that name "
            "subjects alike"
        )
    own = found.rank[found.mated]
    at_rank = np.cumsum(np.bincount(own, minlength=max(ranks, default=1) + 1))[1:] / len(own)
    rows = tuple(tpir_at_fpir(found, target) for target in fpirs)
    non_mated = len(found.rank) - len(own)
    reasons = {} if non_mated else {"open set": "every probe's subject is enrolled, so there is no non-mated search"}
    defined = [row.target for row in rows if not row.reason]
    return IdentificationResult(
        entries=found.entries,
        gallery_subjects=found.gallery_subjects,
        mated=len(own),
        non_mated=non_mated,
        ranks={rank: float(at_rank[rank - 1]) for rank in ranks},
        cmc=at_rank,
        open_set=rows,
        per_probe=tuple(filter(None, (per_probe_recall(found, target) for target in fpirs))),
        det=det_curve(found) if non_mated else None,
        reasons=reasons,
        intervals=identification_intervals(found, ranks, defined, rounds, level, seed) if rounds else {},
    )
