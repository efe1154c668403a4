"""Failures to acquire: images on which no face was found, and what is left without them. No MXNet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.quantity import quantity
from fairface.scoring.fairness.grouped import select

_SHOWN = 3


@dataclass(frozen=True)
class ScoredPairs:
    """M comparisons with the scores (M,) of each model, NaN where there is none.

    ``failed`` (N,) tells on which images detection failed, ``None`` where nothing tells it; ``strangers`` are images on
    the list of failures that are in no comparison.
    """

    comparisons: Comparisons
    scores: tuple[NDArray[np.float64], ...]
    failed: NDArray[np.bool_] | None = None
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailureToAcquire:
    """How many of the compared ``images`` failed, and in how many of the comparisons (``total``) one of them is."""

    failed: tuple[str, ...]
    images: int
    comparisons: int
    total: int

    def __str__(self) -> str:
        some = ", ".join(self.failed[:_SHOWN]) + (", …" if len(self.failed) > _SHOWN else "")
        return (
            f"failure to acquire: {len(self.failed)} of "
            f"{quantity(self.images, 'image')}{f' ({some})' if some else ''}, in {self.comparisons} of "
            f"{quantity(self.total, 'comparison')}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "rate": len(self.failed) / self.images, "failed": len(self.failed), "images": self.images,
            "comparisons": self.comparisons, "total": self.total, "names": list(self.failed),
        }  # fmt: skip


def failure_to_acquire(pairs: ScoredPairs) -> FailureToAcquire | None:
    """The counts, or None where nothing tells on which images detection failed."""
    if pairs.failed is None:
        return None
    comparisons = pairs.comparisons
    used = np.union1d(comparisons.a, comparisons.b)
    names = tuple(comparisons.names[image] for image in used[pairs.failed[used]])
    return FailureToAcquire(names, len(used), int(_touched(pairs.failed, comparisons).sum()), len(comparisons))


def without_failures(pairs: ScoredPairs) -> ScoredPairs:
    """Only the comparisons of whose images none failed; nothing is told about failures then."""
    if pairs.failed is None:
        return pairs
    kept = ~_touched(pairs.failed, pairs.comparisons)
    return replace(
        pairs, comparisons=select(pairs.comparisons, kept), scores=tuple(of[kept] for of in pairs.scores), failed=None
    )


def _touched(failed: NDArray[np.bool_], comparisons: Comparisons) -> NDArray[np.bool_]:
    return failed[comparisons.a] | failed[comparisons.b]
