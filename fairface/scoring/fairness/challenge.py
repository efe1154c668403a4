"""The measure of the ECCV 2020 ChaLearn fair-face challenge, as far as it is known.

Known: for each cell, a combination of legitimate attributes (pose, glasses …) and a protected group, the area under the
cell's TAR over the **global** FMR (genuine comparisons), and under the cell's true non-match rate over the **global**
FNMR (impostor comparisons). With every threshold counted this is the chance that a score of the cell lies on the right
side of a random score of the other kind, a tie counting one half. A cell needs no comparisons of the other kind itself.

Not known: how the areas become one number. The ways offered here have names of their own and are **unofficial**.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import ConfigError
from fairface.scoring.fairness.aggregation import AGGREGATIONS
from fairface.scoring.fairness.cell_means import CellMeans
from fairface.scoring.fairness.counts import Floats, node_ends
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.grouping import Groups, group_images
from fairface.scoring.fairness.scalars import Scalar
from fairface.scoring.measure import number


@dataclass(frozen=True)
class ChallengeOptions:
    """How areas of cells are turned into one number.

    Attributes:
        aggregation: ``one_sided``: for two groups the mean over legitimate cells of max(0, area of one - area of the
            other), at its largest over all ordered pairs of groups; ``range``: the mean over legitimate cells of the
            largest difference between groups; ``worst_cell``: that difference at its largest.
        weights: of the legitimate cells in a mean: ``uniform``, or ``comparisons``.
        min_comparisons: cells with fewer are left out (and counted).
        rounds, level, seed: of resampling subjects and of shuffling groups.
    """

    aggregation: str = "one_sided"
    weights: str = "uniform"
    min_comparisons: int = 30
    rounds: int = 200
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.aggregation not in AGGREGATIONS:
            raise ConfigError(f"aggregation {self.aggregation!r} is not known; choose {', '.join(AGGREGATIONS)}")
        if self.weights not in ("uniform", "comparisons"):
            raise ConfigError(f"weights {self.weights!r} are not known; choose uniform or comparisons")


@dataclass(frozen=True)
class ChallengeResult:
    """The measure on one kind of comparisons.

    Attributes:
        scalar: the number, with interval and null.
        areas, comparisons: (L, K) of L legitimate cells and K groups; areas are NaN where there are too few.
        legitimate, groups: their names.
        omitted: comparisons in cells that are too small.
        outside: comparisons between groups, or with an unknown attribute.
    """

    scalar: Scalar
    areas: Floats
    comparisons: Floats
    legitimate: tuple[str, ...]
    groups: tuple[str, ...]
    omitted: int
    outside: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        cells = [
            {"legitimate": x, "group": g, "area": number(self.areas[i, j]), "comparisons": int(self.comparisons[i, j])}
            for i, x in enumerate(self.legitimate)
            for j, g in enumerate(self.groups)
        ]
        return {**self.scalar.to_dict(), "omitted": self.omitted, "outside": self.outside, "cells": cells}


def challenge_measure(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    protected: Sequence[str],
    legitimate: Sequence[str] = (),
    options: ChallengeOptions | None = None,
) -> dict[str, ChallengeResult]:
    """Of both kinds, ``challenge_genuine`` and ``challenge_impostor``; scores must be finite.

    A comparison is in a protected group when both its images are. Its legitimate cell is what its two images have,
    whichever comes first. Global rates come from all comparisons.

    Raises:
        DataError: an unknown attribute.
    """
    options = options or ChallengeOptions()
    groups = group_images(comparisons, protected)
    cell, names = legitimate_cells(comparisons, legitimate)
    scores = np.asarray(scores, np.float64)
    genuine, impostor = np.sort(scores[comparisons.same]), np.sort(scores[~comparisons.same])
    right = {
        "genuine": (comparisons.same, placement(scores, impostor)),
        "impostor": (~comparisons.same, 1.0 - placement(scores, genuine)),
    }
    return {
        f"challenge_{kind}": _of_kind(kind, values, chosen, comparisons, groups, cell, names, options)
        for kind, (chosen, values) in right.items()
    }


def placement(scores: Floats, others: Floats) -> Floats:
    """(M,) the share of ``others`` (sorted) below each score, ties counting one half."""
    below = np.searchsorted(others, scores, side="left") + np.searchsorted(others, scores, side="right")
    return np.asarray(below / (2.0 * max(len(others), 1)))


def legitimate_cells(comparisons: Comparisons, legitimate: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(M,) the cell of each comparison, -1 where an attribute is unknown, and the cells' names."""
    if not legitimate:
        return np.zeros(len(comparisons), np.int64), ("all",)
    kinds = group_images(comparisons, legitimate)
    ends = np.stack([kinds.of_image[comparisons.a], kinds.of_image[comparisons.b]])
    low, high = ends.min(axis=0), ends.max(axis=0)
    known = low >= 0
    keys, place = np.unique((low * len(kinds) + high)[known], return_inverse=True)
    cell = np.full(len(comparisons), -1, np.int64)
    cell[known] = place
    return cell, tuple(f"{kinds.labels[key // len(kinds)]}/{kinds.labels[key % len(kinds)]}" for key in keys)


def _of_kind(
    kind: str, values: Floats, chosen: NDArray[np.bool_], comparisons: Comparisons, groups: Groups,
    cell: NDArray[np.int64], names: tuple[str, ...], options: ChallengeOptions,
) -> ChallengeResult:  # fmt: skip
    known = chosen & (cell >= 0) & (groups.of_image[comparisons.a] >= 0) & (groups.of_image[comparisons.b] >= 0)
    part = select(comparisons, known)
    nodes, first, second = node_ends(part, groups.of_image, len(groups))
    means = CellMeans(nodes, (first, second), cell[known], len(names), values[known], kind == "genuine")
    combine = AGGREGATIONS[options.aggregation]

    def number_of(areas: Floats, counts: Floats) -> Floats:
        usable = np.where(counts >= options.min_comparisons, areas, np.nan)
        weights = np.ones(counts.shape[:-1]) if options.weights == "uniform" else counts.sum(axis=-1)
        return combine(usable, weights)

    areas, counts = means.observed()
    value = float(number_of(areas, counts))
    rounds = number_of(means.resampled(options.rounds, options.seed), counts) if nodes.subjects else np.zeros(0)
    shuffled = number_of(*means.shuffled(options.rounds, options.seed))
    enough = counts >= options.min_comparisons
    return ChallengeResult(
        scalar=_scalar(kind, value, rounds, shuffled, groups.labels, options),
        areas=np.where(enough, areas, np.nan),
        comparisons=counts,
        legitimate=names,
        groups=groups.labels,
        omitted=int(counts[~enough].sum()),
        outside=int(chosen.sum() - counts.sum()),
    )


def _scalar(
    kind: str, value: float, rounds: Floats, shuffled: Floats, groups: tuple[str, ...], options: ChallengeOptions
) -> Scalar:
    rounds, shuffled = rounds[np.isfinite(rounds)], shuffled[np.isfinite(shuffled)]
    defined = not math.isnan(value)
    p_value = float((1 + (shuffled >= value).sum()) / (1 + len(shuffled))) if defined and len(shuffled) else math.nan
    low = high = math.nan
    if defined and len(rounds):
        low, high = (float(q) for q in np.quantile(rounds, [(1 - options.level) / 2, (1 + options.level) / 2]))
        if not p_value <= 1 - options.level:
            low = 0.0  # resampling never gives equal groups, so equality is only excluded where shuffling excludes it
    reason = f"no legitimate cell has two groups with {options.min_comparisons} {kind} comparisons or more"
    return Scalar(
        name=f"challenge_{kind}",
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=options.level,
        best=0.0,
        worse_when_larger=True,
        groups=groups,
        reason="" if defined else reason,
        null_median=float(np.median(shuffled)) if len(shuffled) else math.nan,
        null_extreme=float(np.quantile(shuffled, 0.95)) if len(shuffled) else math.nan,
        p_value=p_value,
        null_rounds=len(shuffled),
        note=f"unofficial aggregation {options.aggregation}, weights {options.weights}",
    )
