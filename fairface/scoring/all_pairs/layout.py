"""Images in the order in which all their pairs are worked through, and the tiles of that work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.similarity import unit_rows

_ROWS, _COLUMNS = 1024, 4096  # of a tile: 16 MiB of scores
_UNIT_ROWS = 4096  # brought to unit length at a time


@dataclass(frozen=True)
class Layout:
    """N images sorted by group, then subject.

    Attributes:
        rows: (N, D) float32, embeddings of unit length.
        order: (N,) where each image stands in the list that was given.
        subject: (N,) 0..subjects-1.
        group: (N,) 0..groups-1.
        node: (N,) which images are of one subject in one group: 0..P-1, rising.
        subjects, groups: their numbers.
    """

    rows: NDArray[np.float32]
    order: NDArray[np.int64]
    subject: NDArray[np.int64]
    group: NDArray[np.int64]
    node: NDArray[np.int64]
    subjects: int
    groups: int

    @classmethod
    def of(
        cls, embeddings: NDArray[np.floating], subjects: NDArray[np.integer], groups: NDArray[np.integer] | None = None
    ) -> Layout:
        """The layout of ``embeddings (N, D)`` of images of ``subjects (N,)`` and ``groups (N,)`` (default: one).

        Raises:
            DataError: lengths that differ, unlabeled images (subject -1), embeddings without a direction, or pairs of
                one kind only.
        """
        given = np.zeros(len(subjects), np.int64) if groups is None else np.asarray(groups, np.int64)
        check(embeddings, np.asarray(subjects), given)
        names, subject = np.unique(subjects, return_inverse=True)
        kinds, group = np.unique(given, return_inverse=True)
        order = np.lexsort((subject, group))
        subject, group = subject[order], group[order]
        new = np.append(True, (np.diff(subject) != 0) | (np.diff(group) != 0))
        rows = np.empty(embeddings.shape, np.float32)
        for start in range(0, len(rows), _UNIT_ROWS):
            rows[start : start + _UNIT_ROWS] = unit_rows(embeddings[order[start : start + _UNIT_ROWS]])
        return cls(rows, order, subject, group, np.cumsum(new) - 1, len(names), len(kinds))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def margin(self) -> float:
        """How far a float32 score may lie from the exact one: the bound of a sum of D products of unit vectors."""
        return float((self.rows.shape[1] + 64) * 2.0**-24)

    @property
    def node_sizes(self) -> NDArray[np.int64]:
        """(P,) images of each node."""
        return np.bincount(self.node)

    @property
    def node_subject(self) -> NDArray[np.int64]:
        """(P,) the subject of each node."""
        return self.subject[np.flatnonzero(np.diff(self.node, prepend=-1))]

    @property
    def node_group(self) -> NDArray[np.int64]:
        """(P,) the group of each node."""
        return self.group[np.flatnonzero(np.diff(self.node, prepend=-1))]

    @property
    def genuine(self) -> int:
        """Pairs of one subject."""
        sizes = np.bincount(self.subject)
        return int((sizes * (sizes - 1) // 2).sum())

    @property
    def impostor(self) -> int:
        """Pairs of different subjects."""
        return len(self) * (len(self) - 1) // 2 - self.genuine

    def tiles(self) -> Iterator[Tile]:
        """Tiles that hold every pair i < j once; both sides of a tile are of one group each."""
        ends = np.append(np.flatnonzero(np.diff(self.group)) + 1, len(self))
        for r0, r1 in self._spans(0, ends, _ROWS):
            for c0, c1 in self._spans(r0, ends, _COLUMNS):
                first, last = self.subject[[r0, c0]], self.subject[[r1 - 1, c1 - 1]]
                meets = bool(first[0] <= last[1] and first[1] <= last[0])
                yield Tile(r0, r1, c0, c1, diagonal=c0 < r1, mixed=c0 < r1 or meets)

    def _spans(self, start: int, ends: NDArray[np.int64], longest: int) -> Iterator[tuple[int, int]]:
        """From ``start`` to the last of ``ends``, cut at each of them and at nodes, so that few nodes are cut."""
        for end in ends[ends > start].tolist():
            while start < end:
                stop = min(start + longest, end)
                if stop < end and self.node[start] != self.node[stop]:
                    stop = int(np.searchsorted(self.node, self.node[stop]))
                yield start, stop
                start = stop


@dataclass(frozen=True)
class Tile:
    """Rows r0..r1 against columns c0..c1; ``diagonal``: some pairs are i >= j; ``mixed``: some may be genuine."""

    r0: int
    r1: int
    c0: int
    c1: int
    diagonal: bool
    mixed: bool

    @property
    def pairs(self) -> int:
        """Its size."""
        return (self.r1 - self.r0) * (self.c1 - self.c0)

    def kinds(self, subject: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of its pairs are genuine, and which are impostors."""
        same = subject[self.r0 : self.r1, None] == subject[None, self.c0 : self.c1]
        if not self.diagonal:
            return same, ~same
        later = np.arange(self.r0, self.r1)[:, None] < np.arange(self.c0, self.c1)[None]
        return same & later, ~same & later


def check(embeddings: NDArray[np.floating], subjects: NDArray[np.integer], groups: NDArray[np.integer]) -> None:
    """Refuse what cannot be compared; see :meth:`Layout.of`."""
    count = len(embeddings)
    for what, of in (("subjects", subjects), ("groups", groups)):
        if of.shape != (count,):
            raise DataError(f"{len(of)} {what} for {quantity(count, 'embedding')}; give one for each")
    if (subjects < 0).any():
        raise DataError(
            f"{int((subjects < 0).sum())} of {quantity(count, 'image')} "
            f"{agree(int((subjects < 0).sum()), 'is', 'are')} unlabeled; leave them out"
        )
    sizes = np.unique(subjects, return_counts=True)[1]
    if len(sizes) < 2 or sizes.max() < 2:
        kind = "of one subject" if len(sizes) == 1 and count > 1 else "of different subjects"
        pairs = count * (count - 1) // 2
        raise DataError(
            f"{agree(pairs, 'the only pair', f'all {pairs} pairs')} of the {quantity(count, 'image')} "
            f"{agree(pairs, 'is', 'are')} {kind}; scoring needs both kinds"
        )
