"""Failures to acquire: images on which no face was found, and what is left without them. No MXNet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.failures import Unembedded
from fairface.scoring.fairness.grouped import select

_SHOWN = 3


@dataclass(frozen=True)
class ScoredPairs:
    """M comparisons with the scores (M,) of each model, NaN where there is none.

    ``failed`` (N,) tells on which images detection failed, ``None`` where nothing tells it; ``strangers`` are images on
    the list of failures that are in no comparison, ``unembedded`` those that belong to what is compared nevertheless
    (all pairs of embeddings).
    """

    comparisons: Comparisons
    scores: tuple[NDArray[np.float64], ...]
    failed: NDArray[np.bool_] | None = None
    strangers: tuple[str, ...] = ()
    unembedded: Unembedded | None = None


@dataclass(frozen=True)
class FailureToAcquire:
    """How many of the compared ``images`` failed, and in how many of the comparisons (``total``) one of them is.

    ``unembedded`` are those of ``failed`` that have no embedding: they, and the comparisons that they would be in,
    count here, and in no error rate. ``in_no_rate`` are images on the list of failures that count nowhere.
    """

    failed: tuple[str, ...]
    images: int
    comparisons: int
    total: int
    unembedded: tuple[str, ...] = ()
    in_no_rate: tuple[str, ...] = ()

    def with_unembedded(self, unembedded: Unembedded | None, strangers: tuple[str, ...]) -> FailureToAcquire:
        """With images that have no embedding, each compared with every other image, and those that count nowhere."""
        names = () if unembedded is None else unembedded.names
        more = len(names) * self.images + len(names) * (len(names) - 1) // 2
        return replace(
            self, failed=(*self.failed, *names), images=self.images + len(names), comparisons=self.comparisons + more,
            total=self.total + more, unembedded=names, in_no_rate=strangers,
        )  # fmt: skip

    def sentences(self, left_out: bool) -> list[str]:
        """What a reader must know; ``left_out``: the error rates are those without these images."""
        said = [f"{self}; these are left out" if left_out else str(self)]
        if self.unembedded:
            said.append(
                f"{quantity(len(self.unembedded), 'failed image has', 'failed images have')} no embedding "
                f"({_some(self.unembedded)}): failure to acquire counts {agree(len(self.unembedded), 'it', 'them')}, "
                "error rates do not"
            )
        if self.in_no_rate:
            said.append(
                f"{quantity(len(self.in_no_rate), 'failed image is', 'failed images are')} in no rate "
                f"({_some(self.in_no_rate)})"
            )
        return said

    def __str__(self) -> str:
        some = _some(self.failed)
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
            "unembedded": list(self.unembedded), "in_no_rate": list(self.in_no_rate),
        }  # fmt: skip


def failure_to_acquire(pairs: ScoredPairs) -> FailureToAcquire | None:
    """The counts, or None where nothing tells on which images detection failed."""
    if pairs.failed is None:
        return None
    comparisons = pairs.comparisons
    used = np.union1d(comparisons.a, comparisons.b)
    names = tuple(comparisons.names[image] for image in used[pairs.failed[used]])
    found = FailureToAcquire(names, len(used), int(_touched(pairs.failed, comparisons).sum()), len(comparisons))
    return found.with_unembedded(pairs.unembedded, pairs.strangers)


def without_failures(pairs: ScoredPairs) -> ScoredPairs:
    """Only the comparisons of whose images none failed; nothing is told about failures then."""
    if pairs.failed is None:
        return pairs
    kept = ~_touched(pairs.failed, pairs.comparisons)
    return replace(
        pairs, comparisons=select(pairs.comparisons, kept), scores=tuple(of[kept] for of in pairs.scores), failed=None,
        strangers=(), unembedded=None,
    )  # fmt: skip


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _touched(failed: NDArray[np.bool_], comparisons: Comparisons) -> NDArray[np.bool_]:
    return failed[comparisons.a] | failed[comparisons.b]
