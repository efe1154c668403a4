"""Where the images of its own identity stand in each query's ranking, without sorting the rankings.

Average precision and rank need only how many gallery images score as high as each match. A query has few matches, so
one pass over its scores for each is far less work than sorting them.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fairface.hardware import usable_cores
from fairface.scoring.highest import Highest
from fairface.scoring.retrieval.similarities import Similarities

_BLOCK = 1 << 20  # scores of a block: 8 MiB for each thread
_FEW = 48  # matches of a query up to which passes over its scores are faster than sorting them


@dataclass(frozen=True)
class Pairs:
    """Pairs of a query and a gallery image, by query: positions (P,) of both."""

    query: NDArray[np.intp]
    image: NDArray[np.intp]


@dataclass(frozen=True)
class Matches:
    """P pairs of a query and a gallery image of its identity, by query and falling score.

    Attributes:
        query: (P,) which query.
        score: (P,) float64.
        at_or_above: (P,) gallery images that score as high or higher, this one included.
        own: (P,) how many of these are matches.
        non_matches: falling, the highest scores of queries with other identities, as many as were asked for.
    """

    query: NDArray[np.intp]
    score: NDArray[np.float64]
    at_or_above: NDArray[np.int64]
    own: NDArray[np.int64]
    non_matches: NDArray[np.float64]


def pairs_of_one_subject(queries: NDArray[np.integer], gallery: NDArray[np.integer]) -> Pairs:
    """Every query with every gallery image of the same subject."""
    order = np.argsort(gallery, kind="stable")
    ordered = gallery[order]
    starts = np.searchsorted(ordered, queries, side="left")
    counts = np.searchsorted(ordered, queries, side="right") - starts
    query = np.repeat(np.arange(len(queries)), counts)
    within = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Pairs(query, order[np.repeat(starts, counts) + within])


def find_matches(scores: Similarities, matched: Pairs, left_out: Pairs, keep: int = 0) -> Matches:
    """Place the pairs ``matched`` in the queries' rankings, from which the pairs ``left_out`` are taken.

    Args:
        keep: how many of the highest scores of other identities are wanted.
    """
    queries, images = scores.shape
    found, counted = np.empty(len(matched.query)), np.empty(len(matched.query), np.int64)
    highest, lock = Highest(keep), threading.Lock()
    size = max(1, _BLOCK // images)

    def work(start: int) -> None:
        block = scores.block(start, min(start + size, queries))
        out = _within(left_out, start, start + len(block))
        block[left_out.query[out] - start, left_out.image[out]] = -np.inf
        here = _within(matched, start, start + len(block))
        lines, columns = matched.query[here] - start, matched.image[here]
        found[here] = limits = block[lines, columns]
        counted[here] = _count(block, lines, limits)
        if keep:
            block[lines, columns] = -np.inf
            with lock:
                highest.add(block)

    # A product on several threads of its own would wait at the end of every block.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(usable_cores()) as pool:
        for _ in pool.map(work, range(0, queries, size)):
            pass
    order = np.lexsort((-found, matched.query))
    query, score = matched.query[order], found[order]
    falling = highest.falling()
    return Matches(query, score, counted[order], _own(query, score), falling[falling > -np.inf])


def _within(pairs: Pairs, start: int, stop: int) -> slice:
    return slice(*map(int, np.searchsorted(pairs.query, [start, stop])))


def _count(block: NDArray[np.floating], lines: NDArray[np.intp], limits: NDArray[np.floating]) -> NDArray[np.int64]:
    """For each of ``limits`` how many scores in its line of ``block`` are as high or higher."""
    counts = np.empty(len(lines), np.int64)
    named, starts = np.unique(lines, return_index=True)
    for line, start, stop in zip(named, starts, np.searchsorted(lines, named, side="right"), strict=True):
        row = block[line]
        if stop - start > _FEW:
            counts[start:stop] = len(row) - np.searchsorted(np.sort(row), limits[start:stop], side="left")
            continue
        for match in range(start, stop):
            counts[match] = np.count_nonzero(row >= limits[match])
    return counts


def _own(query: NDArray[np.intp], score: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many matches of the same query score as high or higher."""
    if len(query) == 0:
        return np.zeros(0, np.int64)
    new_query = np.append(True, query[1:] != query[:-1])
    lowest_of_ties = np.append(new_query[1:] | (score[1:] != score[:-1]), True)
    last = np.flatnonzero(lowest_of_ties)
    begins = np.flatnonzero(new_query)
    of_query = np.cumsum(new_query) - 1
    last_equal = last[np.searchsorted(last, np.arange(len(query)), side="left")]
    return np.asarray(last_equal - begins[of_query] + 1, np.int64)
