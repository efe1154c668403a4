"""One-to-many search: what every probe finds in a gallery, in blocks, so that no probes x gallery matrix is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.highest import Highest
from fairface.scoring.similarity import unit_rows

_PRODUCTS = 1 << 22  # of a block: 32 MiB
_SHOWN = 3


@dataclass(frozen=True)
class Gallery:
    """G enrolled entries.

    Attributes:
        features: (G, D), of any length.
        subjects: (G,) who each is.
    """

    features: NDArray[np.floating]
    subjects: NDArray[np.int64]


@dataclass(frozen=True)
class Searches:
    """P searches of one gallery; mated: the probe's subject is enrolled.

    Attributes:
        subjects: (P,) int64, who the probes show.
        mate_score: (P,) float64, the best score of the own subject; NaN where the search is non-mated.
        rank: (P,) int64, 1 + entries of other subjects that score as high or higher; 0 where non-mated.
        top_other: (P,) float64, the best score of another subject; -inf where the gallery holds no other.
        best_impostors: falling, the highest scores of all probes with other subjects, as many as were asked for.
        entries, gallery_subjects: the gallery's size.
    """

    subjects: NDArray[np.int64]
    mate_score: NDArray[np.float64]
    rank: NDArray[np.int64]
    top_other: NDArray[np.float64]
    best_impostors: NDArray[np.float64]
    entries: int
    gallery_subjects: int

    @property
    def mated(self) -> NDArray[np.bool_]:
        """(P,) whether the probe's subject is enrolled."""
        return self.rank > 0


def search(
    probes: NDArray[np.floating], subjects: NDArray[np.integer], gallery: Gallery, several: bool = False, keep: int = 0
) -> Searches:
    """Search ``gallery`` for each of ``probes (P, D)`` of ``subjects (P,)`` by cosine.

    Args:
        several: a subject may have several entries: its score is that of the best one.
        keep: how many of the highest impostor scores are wanted.

    Raises:
        DataError: arrays that do not fit together, an empty gallery or no probe, features that have no direction, and,
            unless ``several``, a subject that is enrolled twice.
    """
    if gallery.features.ndim != 2 or gallery.subjects.shape != (len(gallery.features),):
        raise DataError(
            f"the gallery has features of shape {gallery.features.shape} and {gallery.subjects.shape} subjects; "
            "there must be one for each"
        )
    order = sorted_entries(gallery.subjects, several)
    found = _probes(probes, subjects, gallery)
    rows = unit_rows(gallery.features)[order.entries]

    def cosines(part: slice, room: NDArray[np.float64]) -> None:
        np.matmul(found[part], rows.T, out=room)
        np.clip(room, -1.0, 1.0, out=room)

    return searched(cosines, subjects, order, keep)


@dataclass(frozen=True)
class SortedEntries:
    """Entries (G,) sorted by subject; each of ``subjects`` has ``counts`` of them, from ``starts`` on."""

    entries: NDArray[np.intp]
    subjects: NDArray[np.integer]
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]


def sorted_entries(subjects: NDArray[np.integer], several: bool) -> SortedEntries:
    """The entries of a gallery by subject; ``subjects (G,)`` says who each entry is.

    Raises:
        DataError: an empty gallery and, unless ``several``, a subject that is enrolled twice.
    """
    if len(subjects) == 0:
        raise DataError("the gallery is empty; enrol someone")
    order = np.argsort(subjects, kind="stable")
    values, starts, counts = np.unique(subjects[order], return_index=True, return_counts=True)
    twice = values[counts > 1]
    if len(twice) and not several:
        some = ", ".join(map(str, twice[:_SHOWN].tolist())) + (", …" if len(twice) > _SHOWN else "")
        raise DataError(
            f"{quantity(len(twice), 'subject is', 'subjects are')} in the gallery more than once ({some}); keep one "
            "entry of each"
        )
    return SortedEntries(order, values, starts, counts)


def searched(
    fill: Callable[[slice, NDArray[np.float64]], None], subjects: NDArray[np.integer], order: SortedEntries, keep: int
) -> Searches:
    """What the probes of ``subjects (P,)`` find; ``fill(part, room)`` writes the scores of these probes with the
    entries, in the order of ``order.entries``, to ``room``."""
    count, entries, enrolled = len(subjects), len(order.entries), order.subjects
    own = np.minimum(np.searchsorted(enrolled, subjects), len(enrolled) - 1)
    mated = enrolled[own] == subjects
    mate = np.full(count, np.nan)
    rank, other = np.zeros(count, np.int64), np.empty(count)
    tail = Highest(keep)
    block = max(1, _PRODUCTS // entries)
    room = np.empty((min(block, count), entries))
    for start in range(0, count, block):
        part = slice(start, min(start + block, count))
        scores = room[: part.stop - start]
        fill(part, scores)
        here = np.flatnonzero(mated[part])
        if len(here):
            people = own[part][here]
            best = _take_own(scores, here, order.starts[people], order.counts[people])
            limit = np.full(len(scores), np.inf)
            limit[here] = mate[start + here] = best
            rank[start + here] = 1 + np.count_nonzero(scores >= limit[:, None], axis=1)[here]
        other[part] = scores.max(axis=1)
        tail.add(scores)
    named = np.asarray(subjects, np.int64)
    return Searches(named, mate, rank, other, tail.falling(), entries, len(enrolled))


def _take_own(
    scores: NDArray[np.float64], lines: NDArray[np.intp], starts: NDArray[np.intp], counts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The own subject's best score in each of ``lines``; its entries, ``counts`` from ``starts`` on, become -inf."""
    first = np.cumsum(counts) - counts
    rows = np.repeat(lines, counts)
    columns = np.arange(len(rows)) + np.repeat(starts - first, counts)
    best = np.maximum.reduceat(scores[rows, columns], first)
    scores[rows, columns] = -np.inf
    return np.asarray(best)


def _probes(probes: NDArray[np.floating], subjects: NDArray[np.integer], gallery: Gallery) -> NDArray[np.float64]:
    """The probes at unit length; refuses what does not fit the gallery."""
    if probes.ndim != 2 or subjects.shape != (len(probes),):
        raise DataError(f"probes have shape {probes.shape} and {subjects.shape} subjects; there must be one for each")
    if len(probes) == 0:
        raise DataError("there is no probe to search for; check the list of probes")
    if probes.shape[1] != gallery.features.shape[1]:
        raise DataError(f"probes have {probes.shape[1]} values, the gallery {gallery.features.shape[1]}; "
                        "make both with one model")  # fmt: skip
    return unit_rows(probes)
