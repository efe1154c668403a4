"""Failure to acquire: on how many of a group's images no face was found in the normal way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.counts import Ints, PairCounts, add_up, nodes_of
from fairface.scoring.fairness.grouping import Groups, labels_of_images
from fairface.scoring.fairness.rate import Rate, rate_of_cell
from fairface.scoring.fairness.spread import independent_in, spread

_SHOWN = 3


@dataclass(frozen=True)
class Unembedded:
    """L images on which detection failed and that have no embedding, so no comparison has them.

    Attributes:
        names: L.
        subjects: (L,) int64, who is shown, by the numbers of the comparisons; -1 unknown.
        attributes: (L, K) int8, by the codes of the comparisons; -1 unknown.
    """

    names: tuple[str, ...]
    subjects: Ints
    attributes: NDArray[np.int8]


@dataclass(frozen=True)
class GroupFailures:
    """The rate of each group, and what a reader must know."""

    rates: tuple[Rate, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageFailures:
    """Whether detection failed, for every image of which that is known.

    Attributes:
        comparisons: which name the attributes and their values.
        images: (F,) positions of the images.
        subjects: (F,) who they show, -1 unknown.
        failed: (F,) whether detection failed.
        unembedded: more images, all of which failed.
    """

    comparisons: Comparisons
    images: Ints
    subjects: Ints
    failed: NDArray[np.bool_]
    unembedded: Unembedded | None = None

    @classmethod
    def compared(
        cls, comparisons: Comparisons, failed: NDArray[np.bool_], unembedded: Unembedded | None = None
    ) -> ImageFailures:
        """Of every image that is compared, also where no comparison of it has a score; ``failed`` (N,).

        Raises:
            DataError: another number of images.
        """
        if failed.shape != (len(comparisons.attributes),):
            raise DataError(
                f"{failed.shape} failures for {quantity(len(comparisons.attributes), 'image')}; give one for each image"
            )
        images, first = np.unique(np.concatenate([comparisons.a, comparisons.b]), return_index=True)
        subjects = np.concatenate([comparisons.subject_a, comparisons.subject_b])[first]
        return cls(comparisons, images, subjects, failed[images], unembedded)

    def by_group(self, groups: Groups, attributes: Sequence[str], level: float) -> GroupFailures:
        """The share of each group's images on which detection failed, each image counted once.

        Args:
            groups: of the images, made by ``attributes``.
            level: of the intervals, which respect that the images of a subject fail together.
        """
        group, subjects, failed, notes = groups.of_image[self.images], self.subjects, self.failed, []
        if self.unembedded is not None:
            labels = labels_of_images(self.comparisons, attributes, self.unembedded.attributes)
            number = {label: place for place, label in enumerate(groups.labels)}
            places = np.array([-1 if label is None else number.get(label, -1) for label in labels], np.int64)
            group, subjects = np.append(group, places), np.append(subjects, self.unembedded.subjects)
            failed = np.append(failed, np.ones(len(places), bool))
            notes = _left_out(groups, labels)
        known = group >= 0
        return GroupFailures(_rates(failed[known], group[known], subjects[known], len(groups), level), tuple(notes))


def _left_out(groups: Groups, labels: Sequence[str | None]) -> list[str]:
    """What is said of images without an embedding that are in no group's rate."""
    unknown = sum(label is None for label in labels)
    lost = [label for label in labels if label is not None and label not in groups.labels]
    notes = []
    if unknown:
        notes.append(
            f"{quantity(unknown, 'failed image')} without an embedding {agree(unknown, 'has', 'have')} no known "
            f"{groups.name}, so {agree(unknown, 'it is', 'they are')} in no group's "
            "failure to acquire"
        )
    if lost:
        some = ", ".join(f"{label} ({lost.count(label)})" for label in sorted(set(lost)))
        notes.append(f"groups of which no image has an embedding, so all failed and no rate is given: {some}")
    return notes


def _rates(failed: NDArray[np.bool_], group: Ints, subjects: Ints, groups: int, level: float) -> tuple[Rate, ...]:
    everybody = len(subjects) > 0 and bool((subjects >= 0).all())
    nodes, node = nodes_of(group, subjects if everybody else None, groups)
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
    return tuple(rate_of_cell(within, group, level, "image", independent) for group in range(nodes.groups))
