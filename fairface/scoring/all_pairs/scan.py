"""Two walks over all pairs: one counts scores on a fine grid, one looks closely at narrow windows of scores.

Scores are float32 products. A score whose place matters is worked out again in float64, exactly as for a list of
pairs: no rate depends on how float32 rounds. Each walk holds one tile of scores for each thread, whatever the number of
pairs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fairface.hardware import usable_cores
from fairface.scoring.all_pairs.layout import Layout, Tile

BINS = 1 << 16
LOWEST, HIGHEST = -1.00013, 1.0001  # float32 cosines stray beyond 1; no edge of a bin is a round number
_CHUNK = 1 << 19
_NO_SCORE = -9.0  # below every bin and window
Scores = NDArray[np.float32]
Work = Callable[[Tile, Scores, Scores | None, Scores], None]
Watch = Callable[[Iterator[None], int, str], Iterable[None]]  # tiles as they are done, their number, what is done


def unwatched(done: Iterator[None], total: int, what: str) -> Iterable[None]:
    """No progress bar."""
    return done


def edges() -> NDArray[np.float64]:
    """(BINS,) the lower edge of each bin."""
    return LOWEST + (HIGHEST - LOWEST) / BINS * np.arange(BINS)


def walk(layout: Layout, work: Work, what: str, watch: Watch = unwatched) -> None:
    """``work(tile, scores, genuine, impostor)`` for every tile, in threads.

    ``scores`` are (rows, columns); ``impostor`` and ``genuine`` the same with pairs of the other kind (and those below
    the diagonal) moved below every score; ``genuine`` is None where a tile holds none.
    """
    local = threading.local()

    def attempt(tile: Tile) -> None:
        size = (tile.r1 - tile.r0) * (tile.c1 - tile.c0)
        if getattr(local, "room", np.zeros(0)).size < size:
            local.room = np.empty(size, np.float32)
        scores = local.room[:size].reshape(tile.r1 - tile.r0, -1)
        np.matmul(layout.rows[tile.r0 : tile.r1], layout.rows[tile.c0 : tile.c1].T, out=scores)
        if not tile.mixed:
            work(tile, scores, None, scores)
            return
        genuine, impostor = (
            np.where(kind, scores, np.float32(_NO_SCORE)) if kind.any() else None for kind in tile.kinds(layout.subject)
        )
        work(tile, scores, genuine, np.full_like(scores, _NO_SCORE) if impostor is None else impostor)

    tiles = list(layout.tiles())
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(usable_cores()) as pool:
        for _ in watch(pool.map(attempt, tiles), len(tiles), what):
            pass


@dataclass
class Histogram:
    """Genuine and impostor scores (2, BINS) by bin, of one set of pairs."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, BINS), np.int64))

    def from_top(self) -> NDArray[np.int64]:
        """(2, BINS) how many scores are in a bin or above it."""
        return np.cumsum(self.counts[:, ::-1], axis=1)[:, ::-1]


def count_scores(layout: Layout, parts: Sequence[NDArray[np.bool_]] = (), watch: Watch = unwatched) -> list[Histogram]:
    """Scores by bin: of all pairs, then of the pairs whose two groups are both in each of ``parts`` (groups,)."""
    found = [Histogram() for _ in range(1 + len(parts))]
    lock = threading.Lock()

    def work(tile: Tile, scores: Scores, genuine: Scores | None, impostor: Scores) -> None:
        of_tile = [(1, impostor[impostor > LOWEST] if tile.mixed else impostor)]
        of_tile += [] if genuine is None else [(0, genuine[genuine > LOWEST])]
        ends = layout.group[tile.r0], layout.group[tile.c0]
        holders = [found[0], *(of for of, part in zip(found[1:], parts, strict=True) if part[list(ends)].all())]
        for kind, values in of_tile:
            counted = _by_bin(values)
            with lock:
                for holder in holders:
                    holder.counts[kind] += counted

    walk(layout, work, "scoring all pairs", watch)
    return found


def _by_bin(scores: Scores) -> NDArray[np.int64]:
    """(BINS,) how many of ``scores`` are in each bin, some at a time: they stay in the processor's cache."""
    flat, found = scores.ravel(), np.zeros(BINS, np.int64)
    scale, lowest = np.float32(BINS / (HIGHEST - LOWEST)), np.float32(LOWEST)
    for start in range(0, len(flat), _CHUNK):
        place = (flat[start : start + _CHUNK] - lowest) * scale
        found += np.bincount(place.astype(np.intp), minlength=BINS)
    return found
