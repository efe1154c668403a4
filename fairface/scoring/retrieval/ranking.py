"""Retrieval of queries from a gallery: everything that is reported about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.measure import most_within
from fairface.scoring.retrieval.bootstrap import query_intervals
from fairface.scoring.retrieval.image_set import ImageSet, check_image_sets
from fairface.scoring.retrieval.matches import Matches, Pairs, find_matches, pairs_of_one_subject
from fairface.scoring.retrieval.measures import average_precisions, first_ranks, market1501_average_precisions
from fairface.scoring.retrieval.result import RetrievalResult, TarRow
from fairface.scoring.retrieval.similarities import GivenScores, Similarities, similarities

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class RetrievalOptions:
    """What is reported.

    Attributes:
        ranks: rank-k is the share of queries with an image of their identity among the k best.
        fmr: FMRs at which TAR is given, of every query compared with every gallery image.
        rounds: > 0 adds bootstrap intervals over the queries' subjects, at ``level`` with ``seed``.
    """

    ranks: Sequence[int] = RANKS
    fmr: Sequence[float] = ()
    rounds: int = 0
    level: float = 0.95
    seed: int = 0


def retrieve(
    queries: ImageSet, gallery: ImageSet, metric: str = "cosine", options: RetrievalOptions | None = None
) -> RetrievalResult:
    """Rank ``gallery`` for each of ``queries`` by ``metric``, ``cosine`` or ``euclidean``.

    Sums are float64. Memory: a block of scores for each thread, not the matrix of all.

    Raises:
        DataError: an empty gallery or no query, no query whose identity is in the gallery, features that are not
            finite, have no direction or differ in length, a rank below 1, or an FMR outside (0, 1).

    >>> import numpy as np
    >>> from fairface.scoring.retrieval import ImageSet, retrieve
    >>> queries = ImageSet(np.array([[1.0, 0.1], [0.2, 1.0]]), np.array([7, 8]))
    >>> gallery = ImageSet(np.array([[0.9, 0.3], [0.1, 0.8], [0.5, 0.6]]), np.array([7, 8, 7]))
    >>> result = retrieve(queries, gallery)
    >>> result.mean_average_precision, result.ranks[1]
    (1.0, 1.0)
    """
    check_image_sets(queries, gallery)
    return _retrieve(similarities(queries, gallery, metric), queries, gallery, options or RetrievalOptions())


def retrieve_scores(
    scores: NDArray[np.floating],
    query_subjects: NDArray[np.integer],
    gallery_subjects: NDArray[np.integer],
    options: RetrievalOptions | None = None,
    query_cameras: NDArray[np.integer] | None = None,
    gallery_cameras: NDArray[np.integer] | None = None,
) -> RetrievalResult:
    """As :func:`retrieve`, for ``scores (Q, G)`` that exist already; higher means more alike.

    ``query_cameras (Q,)`` and ``gallery_cameras (G,)`` are those of an :class:`ImageSet`.

    Raises:
        DataError: as :func:`retrieve`, and arrays that do not fit together.

    >>> import numpy as np
    >>> from fairface.scoring.retrieval import retrieve_scores
    >>> scores = np.array([[0.9, 0.8, 0.1], [0.3, 0.2, 0.4]])
    >>> result = retrieve_scores(scores, np.array([7, 8]), np.array([7, 8, 7]))
    >>> round(result.mean_average_precision, 3), result.ranks[1], result.ranks[5]
    (0.583, 0.5, 1.0)
    """
    given = GivenScores(np.asarray(scores))
    sizes = len(query_subjects), len(gallery_subjects)
    if given.shape != sizes:
        raise DataError(
            f"scores have shape {given.shape}; there are {quantity(sizes[0], 'query')} and "
            f"{quantity(sizes[1], 'gallery image')}"
        )
    queries, gallery = (
        ImageSet(np.zeros((len(of), 1)), np.asarray(of), cameras)
        for of, cameras in ((query_subjects, query_cameras), (gallery_subjects, gallery_cameras))
    )
    check_image_sets(queries, gallery)
    return _retrieve(given, queries, gallery, options or RetrievalOptions())


def _retrieve(scores: Similarities, queries: ImageSet, gallery: ImageSet, options: RetrievalOptions) -> RetrievalResult:
    _check(options)
    matched, left_out = _pairs(queries, gallery)
    count, images = scores.shape
    genuine, impostor = len(matched.query), count * images - len(matched.query) - len(left_out.query)
    keep = max((most_within(target, impostor) + 1 for target in options.fmr), default=0)
    found = find_matches(scores, matched, left_out, keep)
    precision = average_precisions(found, count)
    market = market1501_average_precisions(found, count)
    rank = first_ranks(found, count)
    valid = rank > 0
    if not valid.any():
        raise DataError(
            f"none of the {quantity(count, 'query')} shows a subject of the gallery; name subjects alike in both"
        )
    subjects, last = queries.subjects, max(options.ranks)
    cmc = np.cumsum(np.bincount(rank[valid], minlength=last + 1))[1 : last + 1] / int(valid.sum())
    values = {"map": precision[valid], "map_market1501": market[valid]}
    values |= {f"rank-{k}": (rank[valid] <= k).astype(np.float64) for k in options.ranks}
    return RetrievalResult(
        queries=int(valid.sum()),
        subjects=len(np.unique(subjects[valid])),
        absent=int((~valid).sum()),
        absent_subjects=tuple(np.setdiff1d(subjects[~valid], subjects[valid]).tolist()),
        gallery=images,
        gallery_subjects=len(np.unique(gallery.subjects)),
        distractors=int((~np.isin(gallery.subjects, subjects)).sum()),
        comparisons=(genuine, impostor),
        mean_average_precision=float(precision[valid].mean()),
        mean_average_precision_market1501=float(market[valid].mean()),
        ranks={k: float(cmc[k - 1]) for k in options.ranks},
        cmc=cmc,
        average_precision=precision,
        first_rank=rank,
        tar=tuple(_tar(found, target, impostor) for target in options.fmr),
        intervals=query_intervals(values, subjects[valid], options.rounds, options.level, options.seed),
    )


def _pairs(queries: ImageSet, gallery: ImageSet) -> tuple[Pairs, Pairs]:
    """The pairs of one identity: those that count, and those of one camera too, which are left out."""
    pairs = pairs_of_one_subject(queries.subjects, gallery.subjects)
    out = np.zeros(len(pairs.query), np.bool_)
    if queries.cameras is not None and gallery.cameras is not None:
        out = queries.cameras[pairs.query] == gallery.cameras[pairs.image]
    return Pairs(pairs.query[~out], pairs.image[~out]), Pairs(pairs.query[out], pairs.image[out])


def _tar(found: Matches, target: float, impostor: int) -> TarRow:
    """The largest TAR whose FMR does not exceed ``target``."""
    allowed = most_within(target, impostor)
    if allowed < 1:
        needed = math.ceil(1.0 / target - 1e-9)
        reason = f"{quantity(impostor, 'impostor comparison')}; FMR {target:g} needs {needed}"
        return TarRow(target, math.nan, math.nan, reason)
    threshold = float(found.non_matches[allowed])  # the first impostor that would be one too many
    return TarRow(target, float((found.score > threshold).mean()), threshold)


def _check(options: RetrievalOptions) -> None:
    if not options.ranks or min(options.ranks) < 1:
        raise DataError(f"ranks {list(options.ranks)} cannot be used; give one or more, the best image has rank 1")
    for target in options.fmr:
        if not 0.0 < target < 1.0:
            raise DataError(f"FMR {target!r} cannot be used; it must lie between 0 and 1, such as 0.0001")
