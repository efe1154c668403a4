"""What retrieval of one set of queries gave: frozen, and plain values for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.measure import Interval, number


@dataclass(frozen=True)
class TarRow:
    """1:1 comparison of every query with every gallery image: TAR at one FMR.

    Attributes:
        target: the FMR asked for.
        tar: the largest TAR whose FMR does not exceed ``target``; NaN where ``reason`` says why.
        threshold: a score above it is a match.
    """

    target: float
    tar: float
    threshold: float
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"target": self.target, "tar": number(self.tar), "threshold": number(self.threshold),
                "reason": self.reason}  # fmt: skip


@dataclass(frozen=True)
class RetrievalResult:
    """Retrieval of one set of queries from one gallery.

    Attributes:
        queries, subjects: the queries whose identity is in the gallery, which count, and how many identities.
        absent: queries without one; they are in no measure. ``absent_subjects`` are their identities.
        gallery, gallery_subjects: the gallery's size.
        distractors: gallery images whose identity has no query.
        comparisons: (genuine, impostor) pairs of a query and a gallery image.
        mean_average_precision: of scikit-learn's average precision.
        mean_average_precision_market1501: of the re-identification convention of Market-1501.
        ranks: rank k to the share of queries with an image of their identity among the k best.
        cmc: (K,) that share at the ranks 1 to K, K being the largest of ``ranks``.
        average_precision: (Q,) of all queries, NaN where absent.
        first_rank: (Q,) of the best image of the query's identity, 0 where absent.
        tar: 1:1 rates at the FMRs asked for.
        intervals: over the queries' subjects, keyed "map", "map_market1501", "rank-1"; empty unless asked for.
    """

    queries: int
    subjects: int
    absent: int
    absent_subjects: tuple[int, ...]
    gallery: int
    gallery_subjects: int
    distractors: int
    comparisons: tuple[int, int]
    mean_average_precision: float
    mean_average_precision_market1501: float
    ranks: dict[int, float]
    cmc: NDArray[np.float64]
    average_precision: NDArray[np.float64]
    first_rank: NDArray[np.int64]
    tar: tuple[TarRow, ...] = ()
    intervals: dict[str, Interval] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values for JSON, without what is told of every query."""
        return {
            "queries": self.queries,
            "subjects": self.subjects,
            "absent_queries": self.absent,
            "absent_subjects": len(self.absent_subjects),
            "gallery": self.gallery,
            "gallery_subjects": self.gallery_subjects,
            "distractors": self.distractors,
            "genuine": self.comparisons[0],
            "impostor": self.comparisons[1],
            "map": self.mean_average_precision,
            "map_market1501": self.mean_average_precision_market1501,
            "ranks": {str(rank): value for rank, value in self.ranks.items()},
            "cmc": [float(value) for value in self.cmc],
            "tar": [row.to_dict() for row in self.tar],
            "intervals": {key: interval.to_dict() for key, interval in self.intervals.items()},
        }
