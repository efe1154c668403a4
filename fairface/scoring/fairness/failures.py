"""Failure to detect: on how many of a group's images no face was found in the normal way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.fairness.counts import Ints, Nodes, PairCounts, add_up
from fairface.scoring.fairness.rate import Rate, rate_of_cell
from fairface.scoring.fairness.spread import spread


def failure_rates(
    comparisons: Comparisons, failed: NDArray[np.bool_], nodes: Nodes, ends: tuple[Ints, Ints], level: float
) -> list[Rate]:
    """For each group the share of its compared images with ``failed (N,)``, each image counted once.

    Args:
        comparisons: those that ``ends`` (the nodes of their two images) are about.
        failed: for every image of the comparisons.
        nodes, ends: see :func:`fairface.scoring.fairness.counts.node_ends`.
        level: of the intervals, which respect that the images of a subject fail together.

    Raises:
        DataError: another number of images.
    """
    if failed.shape != (len(comparisons.attributes),):
        raise DataError(f"{failed.shape} failures for {len(comparisons.attributes)} images; give one for each image")
    images, first_seen = np.unique(np.concatenate([comparisons.a, comparisons.b]), return_index=True)
    node = np.concatenate(ends)[first_seen]
    shown = np.arange(len(nodes.subject))
    counts = PairCounts(
        nodes=nodes,
        first=shown,
        second=shown,
        comparisons=np.bincount(node, minlength=len(shown)).astype(np.float64),
        errors=add_up(node, failed[images], len(shown)),
        genuine=True,
    )
    within = spread(counts, nodes.group, nodes.groups)
    return [rate_of_cell(counts, nodes.group, within, group, level, "image") for group in range(nodes.groups)]
