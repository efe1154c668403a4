"""Face-detection failures (part of FTA): on how many of a group's images no face was found in the normal way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.fairness.counts import Ints, Nodes, PairCounts, add_up
from fairface.scoring.fairness.rate import Rate, rate_of_cell
from fairface.scoring.fairness.spread import independent_in, spread


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
        raise DataError(
            f"{failed.shape} failures for {quantity(len(comparisons.attributes), 'image')}; give one for each image"
        )
    images, first_seen = np.unique(np.concatenate([comparisons.a, comparisons.b]), return_index=True)
    return failure_rates_of_images(failed[images], np.concatenate(ends)[first_seen], nodes, level)


def failure_rates_of_images(failed: NDArray[np.bool_], node: Ints, nodes: Nodes, level: float) -> list[Rate]:
    """:func:`failure_rates` of images of which is known whether they ``failed`` and which ``node`` each is of: (N,)."""
    shown = np.arange(len(nodes.subject))
    counts = PairCounts(
        nodes=nodes,
        first=shown,
        second=shown,
        comparisons=np.bincount(node, minlength=len(shown)).astype(np.float64),
        errors=add_up(node, failed, len(shown)),
        genuine=True,
    )
    within = spread(counts, nodes.group, nodes.groups)
    independent = independent_in(counts, nodes.group)
    return [rate_of_cell(within, group, level, "image", independent) for group in range(nodes.groups)]
