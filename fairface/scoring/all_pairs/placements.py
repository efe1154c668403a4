"""Where each pair's score stands among those of the other kind: what the spread of an AUC is made of."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.all_pairs.layout import Layout, Tile
from fairface.scoring.all_pairs.scan import BINS, HIGHEST, LOWEST, Histogram, Scores, Watch, unwatched, walk
from fairface.scoring.all_pairs.windows import GENUINE, IMPOSTOR

_SCALE = np.float32(BINS / (HIGHEST - LOWEST))


@dataclass(frozen=True)
class Placements:
    """Sums (2, S) over each subject's genuine and impostor pairs of the share of the other kind that they beat or are
    beaten by; ``squares``: the sum over pairs of subjects of their impostor pairs' squared deviations from the area."""

    of_subject: NDArray[np.float64]
    squares: float


def placements(layout: Layout, histogram: Histogram, area: float, watch: Watch = unwatched) -> Placements:
    """Of all pairs; equal bins count one half. ``area`` is the AUC."""
    tables = _tables(histogram)
    sums = np.zeros((2, len(layout)))
    squares = [0.0]
    lock = threading.Lock()

    def work(tile: Tile, scores: Scores, genuine: Scores | None, impostor: Scores) -> None:
        for kind, of_kind in ((GENUINE, genuine), (IMPOSTOR, impostor)):
            if of_kind is None:
                continue
            counted = of_kind > LOWEST if tile.mixed else None
            place = np.clip((of_kind - np.float32(LOWEST)) * _SCALE, 0, BINS - 1).astype(np.uint16)
            values = tables[kind][place]
            if counted is not None:
                values *= counted
            of_rows, of_columns = values.sum(axis=1, dtype=np.float64), values.sum(axis=0, dtype=np.float64)
            square = _deviations(layout, tile, values, counted, area) if kind == IMPOSTOR else 0.0
            with lock:
                sums[kind, tile.r0 : tile.r1] += of_rows
                sums[kind, tile.c0 : tile.c1] += of_columns
                squares[0] += square

    walk(layout, work, "spread of all pairs", watch)
    of_subject = np.stack([np.bincount(layout.subject, row, layout.subjects) for row in sums])
    return Placements(of_subject / np.array([[2.0], [1.0]]), squares[0])


def _tables(histogram: Histogram) -> NDArray[np.float32]:
    """(2, BINS) of a genuine score, the share of impostors below it; of an impostor's, of genuine scores above it."""
    genuine, impostor = histogram.counts.astype(np.float64)
    below = (np.cumsum(impostor) - impostor / 2.0) / impostor.sum()
    above = (np.cumsum(genuine[::-1])[::-1] - genuine / 2.0) / genuine.sum()
    return np.stack([below, above]).astype(np.float32)


def _deviations(layout: Layout, tile: Tile, values: Scores, counted: NDArray[np.bool_] | None, area: float) -> float:
    starts = [
        np.append(0, np.flatnonzero(np.diff(layout.node[begin:end])) + 1)
        for begin, end in ((tile.r0, tile.r1), (tile.c0, tile.c1))
    ]
    total = _by_node(values, starts)
    if counted is None:
        sizes = [np.diff(np.append(of, end)) for of, end in zip(starts, values.shape, strict=True)]
        pairs = np.multiply.outer(*(of.astype(np.float32) for of in sizes))
    else:
        pairs = _by_node(counted.astype(np.float32), starts)
    return float(np.square(total - np.float32(area) * pairs, dtype=np.float64).sum())


def _by_node(values: Scores, starts: list[NDArray[np.int64]]) -> Scores:
    columns = values if len(starts[1]) == values.shape[1] else np.add.reduceat(values, starts[1], axis=1)
    return columns if len(starts[0]) == len(columns) else np.add.reduceat(columns, starts[0], axis=0)
