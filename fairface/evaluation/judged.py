"""The evaluation's pairs with all their kinds of scores, and those of them whose faces were all found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.quantity import quantity
from fairface.scoring.fairness.grouped import select

ALL_STEPS, THREE_STEP, HARD = "after all steps", "three-step model, plain cosine", "hard-sample model, plain cosine"
WITHOUT = "after all steps, without face-detection failures (part of FTA)"
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class JudgedPairs:
    """Pairs of which the truth is known.

    Attributes:
        source: what they are, for messages.
        comparisons: M of them.
        scores: (M,) by kind: :data:`ALL_STEPS`, :data:`THREE_STEP` and, with that model, :data:`HARD`.
        photographs: the files of its images, links resolved: what tells them from those of another list.
        failed: (N,) images on which detection failed; ``None`` where that is not told.
    """

    source: str
    comparisons: Comparisons
    scores: dict[str, Scores]
    photographs: frozenset[Path]
    failed: NDArray[np.bool_] | None = None


def without_failures(judged: JudgedPairs) -> JudgedPairs | str:
    """The pairs of whose images none failed to be detected, or why there is no such list of its own."""
    if judged.failed is None:
        return "it is unknown on which images detection failed"
    comparisons = judged.comparisons
    kept = ~(judged.failed[comparisons.a] | judged.failed[comparisons.b])
    if kept.all():
        return "detection failed on none of these images, so all numbers stay the same"
    same = comparisons.same[kept]
    if not same.any() or same.all():
        return (
            f"{quantity(int(kept.sum()), 'pair is', 'pairs are')} left, {int(same.sum())} of them genuine: too few to "
            "score"
        )
    scores = {name: values[kept] for name, values in judged.scores.items()}
    return JudgedPairs(judged.source, select(comparisons, kept), scores, judged.photographs)
