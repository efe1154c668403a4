"""Comparisons summed over each pair of subjects: all that rates, their spread and rounds of resampling need.

A **node** is the images of one subject in one group: for attributes that never change (skin colour) a subject, for
others (glasses) one part of a subject's images. A **cell** is a pair of groups; cell (g, g) holds the comparisons
within group g.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import agree, quantity

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_TABLE = 30_000_000  # keys up to this are looked up in a table, which is faster than sorting them


@dataclass(frozen=True)
class Nodes:
    """Who is in which group.

    Attributes:
        subject: (P,) the subject of each node, 0..subjects-1; nodes are sorted by group, then subject.
        group: (P,) the group of each node, 0..groups-1.
        subjects: number of subjects; 0 where the comparisons do not say who is shown (each group is one node then).
        groups: number of groups.
    """

    subject: Ints
    group: Ints
    subjects: int
    groups: int


@dataclass(frozen=True)
class PairCounts:
    """Comparisons of one kind, genuine or impostor, summed over each of Q pairs of nodes.

    Attributes:
        nodes: what ``first`` and ``second`` (Q,) point to; ``first <= second``.
        comparisons: (Q,) how many comparisons.
        errors: (Q,) how many of them went wrong (or the sum of whatever else was counted).
        genuine: whether both nodes of a pair are one subject.
    """

    nodes: Nodes
    first: Ints
    second: Ints
    comparisons: Floats
    errors: Floats
    genuine: bool

    @property
    def cell(self) -> Ints:
        """(Q,) the cell of each pair, as g * groups + h with g <= h."""
        group = self.nodes.group
        return group[self.first] * self.nodes.groups + group[self.second]

    def within(self) -> PairCounts:
        """Only the pairs within a group."""
        return self.only(self.nodes.group[self.first] == self.nodes.group[self.second])

    def only(self, chosen: NDArray[np.bool_]) -> PairCounts:
        """Only the ``chosen (Q,)`` pairs."""
        return PairCounts(
            self.nodes, self.first[chosen], self.second[chosen], self.comparisons[chosen], self.errors[chosen],
            self.genuine,
        )  # fmt: skip

    def with_errors(self, errors: Floats) -> PairCounts:
        """The same comparisons with another sum beside them."""
        return PairCounts(self.nodes, self.first, self.second, self.comparisons, errors, self.genuine)


def check_subjects(comparisons: Comparisons) -> bool:
    """Whether the comparisons say who is shown.

    Raises:
        DataError: what they say contradicts 'same'.
    """
    if len(comparisons) == 0 or (comparisons.subject_a < 0).any() or (comparisons.subject_b < 0).any():
        return False
    wrong = (comparisons.subject_a == comparisons.subject_b) != comparisons.same
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum())} of {quantity(len(wrong), 'comparison')} {agree(int(wrong.sum()), 'is', 'are')} "
            f"genuine between two subjects or impostor within one (first: comparison {int(np.argmax(wrong))}); correct "
            "the subjects"
        )
    return True


def node_ends(comparisons: Comparisons, of_image: Ints, groups: int) -> tuple[Nodes, Ints, Ints]:
    """Nodes, and the node at both ends of each comparison; every image must have a group (0..groups-1).

    Raises:
        DataError: see :func:`check_subjects`.
    """
    ends = np.stack([comparisons.a, comparisons.b])
    group = of_image[ends]
    shown = np.stack([comparisons.subject_a, comparisons.subject_b]) if check_subjects(comparisons) else None
    nodes, node = nodes_of(group, shown, groups)
    return nodes, node[0], node[1]


def nodes_of(group: Ints, shown: Ints | None, groups: int) -> tuple[Nodes, Ints]:
    """Nodes, and which one each image is of, from its ``group`` and the subject ``shown``; None: nobody is named."""
    named, subject = compact(shown) if shown is not None else (np.zeros(0, np.int64), np.zeros(group.shape, np.int64))
    keys, node = compact(group * max(len(named), 1) + subject)
    return Nodes(keys % max(len(named), 1), keys // max(len(named), 1), len(named), groups), node


def compact(keys: Ints) -> tuple[Ints, Ints]:
    """The distinct values of ``keys`` (none negative), sorted, and the place of each key among them."""
    if keys.size == 0 or keys.max() > _TABLE:
        found, place = np.unique(keys, return_inverse=True)
        return found, place.reshape(keys.shape)
    seen = np.zeros(int(keys.max()) + 1, bool)
    seen[keys] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[keys]


def add_up(place: Ints, values: NDArray[np.floating] | NDArray[np.bool_], size: int) -> Floats:
    """(size,) float64: the sum of the ``values`` at each place."""
    return np.asarray(np.bincount(place, values, size), np.float64)


def count_pairs(
    nodes: Nodes, ends: tuple[Ints, Ints], errors: Floats, chosen: NDArray[np.bool_], genuine: bool
) -> PairCounts:
    """Sums over pairs of nodes of the ``chosen`` comparisons; ``errors (M,)`` is what each comparison adds."""
    first, second = np.minimum(*ends)[chosen], np.maximum(*ends)[chosen]
    width = len(nodes.subject)
    keys, pair = compact(first * width + second)
    return PairCounts(
        nodes=nodes,
        first=keys // width if width else keys,
        second=keys % width if width else keys,
        comparisons=np.bincount(pair, minlength=len(keys)).astype(np.float64),
        errors=add_up(pair, errors[chosen], len(keys)),
        genuine=genuine,
    )
