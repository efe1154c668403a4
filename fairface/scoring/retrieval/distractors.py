"""Pairs of one identity against distractors: is the mate more alike than the best distractor?

MindSpore's FaceRecognition program prints this as ``zj2jk`` and ``jk2zj`` and their mean, for two lists of images
called zj and jk. A pair (zj, jk) of one identity is a hit of ``zj2jk`` where its similarity exceeds that of zj's best
distractor, and one of ``jk2zj`` where it exceeds that of jk's best distractor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.scoring.measure import Interval
from fairface.scoring.retrieval.bootstrap import query_intervals
from fairface.scoring.retrieval.image_set import ImageSet, check_image_sets
from fairface.scoring.retrieval.matches import pairs_of_one_subject
from fairface.scoring.similarity import unit_rows

_BLOCK = 1 << 20  # products in memory at a time


@dataclass(frozen=True)
class DistractorHits:
    """Shares of pairs that score above the best distractor.

    Attributes:
        pairs, distractors: how many.
        zj2jk, jk2zj: against the distractors of the first image, and of the second one.
        intervals: keyed "zj2jk", "jk2zj", "mean"; empty unless asked for.
    """

    pairs: int
    distractors: int
    zj2jk: float
    jk2zj: float
    intervals: dict[str, Interval] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Of both."""
        return (self.zj2jk + self.jk2zj) / 2.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"pairs": self.pairs, "distractors": self.distractors, "zj2jk": self.zj2jk, "jk2zj": self.jk2zj,
                "mean": self.mean, "intervals": {key: of.to_dict() for key, of in self.intervals.items()}}  # fmt: skip


def distractor_hits(
    zj: ImageSet, jk: ImageSet, distractors: NDArray[np.floating], rounds: int = 0, level: float = 0.95, seed: int = 0
) -> DistractorHits:
    """Hits of all pairs of one identity of ``zj`` and ``jk`` against ``distractors (N, D)``, by cosine.

    A similarity that equals the best distractor's is no hit. ``rounds`` > 0 adds bootstrap intervals over subjects.

    Raises:
        DataError: sets that do not fit together, no pair, no distractor, or features that have no direction.

    >>> import numpy as np
    >>> from fairface.scoring.retrieval import ImageSet, distractor_hits
    >>> masked = ImageSet(np.array([[1.0, 0.1], [0.2, 1.0]]), np.array([7, 8]))
    >>> common = ImageSet(np.array([[0.9, 0.3], [0.1, 0.8]]), np.array([7, 8]))
    >>> hits = distractor_hits(masked, common, np.array([[0.1, 0.9], [0.5, 0.5]]))
    >>> hits.pairs, hits.zj2jk, hits.jk2zj
    (2, 1.0, 0.5)
    """
    check_image_sets(zj, jk)
    if distractors.ndim != 2 or distractors.shape[1] != zj.features.shape[1] or len(distractors) == 0:
        raise DataError(f"distractors have shape {distractors.shape}; there must be one or more, of "
                        f"{zj.features.shape[1]} values, made with the same model")  # fmt: skip
    pairs = pairs_of_one_subject(zj.subjects, jk.subjects)
    if len(pairs.query) == 0:
        raise DataError("no identity is in both lists, so there is no pair; name identities alike in both")
    first, second, others = unit_rows(zj.features), unit_rows(jk.features), unit_rows(distractors)
    score = np.einsum("pd,pd->p", first[pairs.query], second[pairs.image])
    hits = {"zj2jk": score > _best(first, others)[pairs.query], "jk2zj": score > _best(second, others)[pairs.image]}
    means = {key: float(of.mean()) for key, of in hits.items()}
    values = {**hits, "mean": np.mean(list(hits.values()), axis=0)}
    intervals = query_intervals(values, zj.subjects[pairs.query], rounds, level, seed)
    return DistractorHits(len(score), len(distractors), means["zj2jk"], means["jk2zj"], intervals)


def _best(rows: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest score of each of ``rows`` with ``others``."""
    size = max(1, _BLOCK // len(others))
    return np.concatenate([(rows[i : i + size] @ others.T).max(axis=1) for i in range(0, len(rows), size)])
