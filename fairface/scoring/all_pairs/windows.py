"""Narrow windows of scores, in which every score is worked out in float64: the thresholds that matter lie in them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.scoring.all_pairs.layout import Layout, Tile
from fairface.scoring.all_pairs.scan import Histogram, Scores, Watch, edges, unwatched, walk
from fairface.scoring.measure import most_within
from fairface.scoring.similarity import cosine_scores

GENUINE, IMPOSTOR = 0, 1
MOST_INSIDE = 20_000_000  # pairs in a window; more are scores that hardly differ
MOST_PAIRS = 20_000_000  # of nodes with a match: 80 bytes each until they are summed
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """Scores from ``low`` to ``high``; with ``by_pair`` matches are summed over pairs of nodes."""

    low: float
    high: float
    by_pair: bool = False


@dataclass
class Inside:
    """What a walk found of one window, for genuine (row 0) and impostor pairs (row 1).

    Attributes:
        above: (2,) pairs that score above it for certain.
        of_image: (2, N) how many of those each image is in.
        squares, products: (2,) sums over pairs of nodes of their squared number, and of that number times all pairs of
            images of the two nodes.
        ends: pairs that may lie in it: two (Q,) arrays of images for each kind.
        scores: theirs, float64.
        matches: for each kind, the pairs of nodes (first * P + second) above it and how many pairs of images those are.
    """

    above: Ints
    of_image: Ints
    squares: Floats
    products: Floats
    ends: list[tuple[Ints, Ints]] = field(default_factory=list)
    scores: list[Floats] = field(default_factory=list)
    matches: list[tuple[Ints, Ints]] = field(default_factory=list)

    def counts_at(self, threshold: float) -> Ints:
        """(2,) pairs that score at or above ``threshold``, which lies in the window."""
        return self.above + [int((scores >= threshold).sum()) for scores in self.scores]

    def images_at(self, threshold: float) -> Ints:
        """(2, N) in how many of those each image is."""
        found = self.of_image.copy()
        for kind, (ends, scores) in enumerate(zip(self.ends, self.scores, strict=True)):
            for end in ends:
                found[kind] += np.bincount(end[scores >= threshold], minlength=found.shape[1])
        return found

    def residual_squares(self, rate: float, sizes: Ints) -> float:
        """The sum over pairs of nodes of (false matches - ``rate`` x pairs of images)^2; ``sizes`` of the nodes."""
        images = np.square(sizes.astype(np.float64))
        every = (images.sum() ** 2 - np.square(images).sum()) / 2.0
        return float(self.squares[IMPOSTOR] - 2.0 * rate * self.products[IMPOSTOR] + rate**2 * every)

    def matches_at(self, threshold: float, kind: int, node: Ints) -> tuple[Ints, Ints, Ints]:
        """Pairs of nodes (first <= second) that match at ``threshold``, and how often."""
        count = int(node[-1]) + 1
        chosen = self.scores[kind] >= threshold
        late = node_keys(node, *(end[chosen] for end in self.ends[kind]))
        keys, times = self.matches[kind]
        keys, times = _sum_by_key(np.concatenate([keys, late]), np.concatenate([times, np.ones_like(late)]))
        return keys // count, keys % count, times


def node_keys(node: Ints, a: Ints, b: Ints) -> Ints:
    """One number for each pair of nodes, the smaller one first."""
    return np.asarray(node[np.minimum(a, b)] * (int(node[-1]) + 1) + node[np.maximum(a, b)])


def window_of_fmr(histogram: Histogram, target: float, by_pair: bool = False) -> Window:
    """Where the impostor score lies whose match would be one too many for the FMR ``target`` (0 to 1, reachable), and
    the next score above it, which is the threshold."""
    from_top = histogram.from_top()[IMPOSTOR]
    beyond = most_within(target, float(from_top[0])) + 1
    place = int(np.flatnonzero(from_top >= beyond)[-1])
    above = np.flatnonzero(histogram.counts[:, place + 1 :].any(axis=0))
    return _of_bins(place, place + 1 + int(above[0]) if len(above) else place, by_pair)


def window_of_eer(histogram: Histogram) -> Window:
    """Where FMR and FNMR cross."""
    genuine, impostor = histogram.from_top()
    crossed = impostor / impostor[0] >= (genuine[0] - genuine) / genuine[0]
    place = int(np.flatnonzero(crossed)[-1])
    return _of_bins(place, place)


def _of_bins(first: int, last: int, by_pair: bool = False) -> Window:
    low = edges()
    return Window(float(low[first]), float(low[last] + low[1] - low[0]), by_pair)


def look_into(
    windows: Sequence[Window], layout: Layout, embeddings: NDArray[np.floating], by_image: bool = False,
    watch: Watch = unwatched,
) -> list[Inside]:  # fmt: skip
    """What lies above and inside of each of ``windows``; ``embeddings`` as they were given. ``by_image``: matches are
    counted by image too.

    Raises:
        DataError: too many scores in one window, or too many pairs of nodes that match.
    """
    size = len(layout)
    found = [Inside(np.zeros(2, np.int64), np.zeros((2, size), np.int64), np.zeros(2), np.zeros(2)) for _ in windows]
    collected: list[_Collected] = [_Collected() for _ in windows]
    lock, margin, sizes = threading.Lock(), layout.margin, layout.node_sizes
    lowest = min(window.low for window in windows) - margin

    def work(tile: Tile, scores: Scores, genuine: Scores | None, impostor: Scores) -> None:
        for kind, of_kind in ((GENUINE, genuine), (IMPOSTOR, impostor)):
            if of_kind is None:
                continue
            place = np.flatnonzero(of_kind.ravel() >= np.float32(lowest))
            values = of_kind.ravel()[place]
            a, b = tile.r0 + place // of_kind.shape[1], tile.c0 + place % of_kind.shape[1]
            for window, inside, more in zip(windows, found, collected, strict=True):
                above = values >= window.high + margin
                near = (values >= window.low - margin) & ~above
                pairs = a[above], b[above]
                keys, times = np.zeros(0, np.int64), np.zeros(0, np.int64)
                if by_image or window.by_pair:
                    keys, times = np.unique(node_keys(layout.node, *pairs), return_counts=True)
                with lock:
                    inside.above[kind] += len(pairs[0])
                    more.add(kind, (a[near], b[near]), (keys, times) if window.by_pair else (keys[:0], times[:0]))
                    if by_image:
                        for end in pairs:
                            inside.of_image[kind] += np.bincount(end, minlength=size)
                        inside.squares[kind] += float(np.square(times, dtype=np.float64).sum())
                        inside.products[kind] += float(times @ (sizes[keys // len(sizes)] * sizes[keys % len(sizes)]))

    walk(layout, work, "thresholds of all pairs", watch)
    for inside, more in zip(found, collected, strict=True):
        for kind in (GENUINE, IMPOSTOR):
            a, b = (np.concatenate([ends[i] for ends in more.near[kind]] or [np.zeros(0, np.int64)]) for i in (0, 1))
            inside.ends.append((a, b))
            inside.scores.append(cosine_scores(embeddings, layout.order[a], layout.order[b]))
            keys, times = (
                np.concatenate([pair[i] for pair in more.matches[kind]] or [np.zeros(0, np.int64)]) for i in (0, 1)
            )
            inside.matches.append(_sum_by_key(keys, times))
    return found


@dataclass
class _Collected:
    near: tuple[list[tuple[Ints, Ints]], list[tuple[Ints, Ints]]] = field(default_factory=lambda: ([], []))
    matches: tuple[list[tuple[Ints, Ints]], list[tuple[Ints, Ints]]] = field(default_factory=lambda: ([], []))
    inside: int = 0
    pairs: int = 0

    def add(self, kind: int, near: tuple[Ints, Ints], matches: tuple[Ints, Ints]) -> None:
        """Keep what a tile gave, unless it would not fit into memory."""
        self.near[kind].append(near)
        self.matches[kind].append(matches)
        self.inside += len(near[0])
        self.pairs += len(matches[0])
        if self.inside > MOST_INSIDE:
            raise DataError(
                f"more than {MOST_INSIDE:,} pairs score almost alike: nearly all embeddings are the same; look at them"
            )
        if self.pairs > MOST_PAIRS:
            raise DataError(
                f"more than {MOST_PAIRS:,} pairs of subjects match at the threshold; use a lower FMR or fewer images"
            )


def _sum_by_key(keys: Ints, times: Ints) -> tuple[Ints, Ints]:
    named, place = np.unique(keys, return_inverse=True)
    return named, np.bincount(place, times, len(named)).astype(np.int64)
