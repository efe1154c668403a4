"""What another precision of a model's weights costs: cosines to the original, and TAR by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.quantity import quantity
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.roc import roc_curve, tar_at_fmr, threshold_at_fmr
from fairface.scoring.similarity import cosine_scores, unit_rows

EVERYONE = "everyone"
Embeddings = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class TarChange:
    """TAR of one group's genuine comparisons before and after; every model's threshold is set on all impostors.

    NaN where there are too few impostor comparisons for the FMR, or the group has no genuine one.
    """

    group: str
    fmr: float
    genuine: int
    before: float
    after: float

    def __str__(self) -> str:
        return (
            f"TAR at FMR {self.fmr:g}, {self.group}: {self.before:.4f} before, {self.after:.4f} after, "
            f"{100 * (self.after - self.before):+.2f} points ({quantity(self.genuine, 'genuine comparison')})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None where there is no rate."""
        rates = {"before": self.before, "after": self.after, "change": self.after - self.before}
        told = {name: None if math.isnan(rate) else rate for name, rate in rates.items()}
        return {"group": self.group, "fmr": self.fmr, "genuine": self.genuine, **told}


def cosines(before: Embeddings, after: Embeddings) -> NDArray[np.float64]:
    """Cosine (N,) of each image's two embeddings ``(N, D)``."""
    return np.asarray((unit_rows(before) * unit_rows(after)).sum(axis=1))


def tar_changes(
    comparisons: Comparisons, before: Embeddings, after: Embeddings, fmr: float, protected: Sequence[str] = ()
) -> list[TarChange]:
    """TAR with both models' embeddings ``(N, D)`` of the compared images: of everyone, then of each group.

    Args:
        comparisons: of the images.
        before, after: their embeddings.
        fmr: sets each model's threshold, on the impostor comparisons of everyone.
        protected: attributes whose values, each attribute by itself, make the groups.

    Raises:
        DataError: an attribute that the images do not have, or only one kind of comparison.
    """
    scores = [cosine_scores(embeddings, comparisons.a, comparisons.b) for embeddings in (before, after)]
    curves = [roc_curve(values, comparisons.same) for values in scores]
    genuine = comparisons.same
    if any(tar_at_fmr(curve, fmr).reason for curve in curves):
        accepted = [np.full(len(genuine), math.nan) for _ in scores]
    else:
        accepted = [
            (values >= threshold_at_fmr(curve, fmr)).astype(np.float64)
            for values, curve in zip(scores, curves, strict=True)
        ]
    members = {EVERYONE: genuine}
    for attribute in protected:
        groups = group_images(comparisons, [attribute])
        for number, label in enumerate(groups.labels):
            inside = groups.of_image == number
            members[f"{attribute}={label}"] = genuine & inside[comparisons.a] & inside[comparisons.b]
    return [
        TarChange(name, fmr, int(rows.sum()), *(_mean(values[rows]) for values in accepted))
        for name, rows in members.items()
    ]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan
