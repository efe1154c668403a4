"""Average precision by two conventions, and the rank of the first match, of every query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.retrieval.matches import Matches


def average_precisions(matches: Matches, queries: int) -> NDArray[np.float64]:
    """(Q,) scikit-learn's average precision; NaN where a query has no match.

    The mean, over the matches, of the precision at the match's score: the share of matches among the images that score
    as high or higher. Ties share one precision, in whatever order they stand.
    """
    return _mean_of_query(matches, matches.own / matches.at_or_above, queries)


def market1501_average_precisions(matches: Matches, queries: int) -> NDArray[np.float64]:
    """(Q,) average precision as Market-1501's program for re-identification has it; NaN where a query has no match.

    The area under the precision by trapezoids: for each match the mean of the precision there and just before, which is
    1 before the first image. Where scores tie, images of others stand first. Source: Zheng et al. 2015.
    """
    before = _places(matches)
    rank = matches.at_or_above - matches.own + before + 1
    earlier = np.where(rank > 1, before / np.maximum(rank - 1, 1), 1.0)
    return _mean_of_query(matches, ((before + 1) / rank + earlier) / 2.0, queries)


def first_ranks(matches: Matches, queries: int) -> NDArray[np.int64]:
    """(Q,) the rank of the best match, 1 + images of others that score as high or higher; 0 where there is none."""
    best = np.flatnonzero(_places(matches) == 0)
    ranks = np.zeros(queries, np.int64)
    ranks[matches.query[best]] = 1 + matches.at_or_above[best] - matches.own[best]
    return ranks


def _places(matches: Matches) -> NDArray[np.intp]:
    """(P,) how many matches of the same query stand before each."""
    positions = np.arange(len(matches.query))
    return np.asarray(positions - np.searchsorted(matches.query, matches.query, side="left"), np.intp)


def _mean_of_query(matches: Matches, values: NDArray[np.float64], queries: int) -> NDArray[np.float64]:
    sums = np.bincount(matches.query, values, queries)
    counts = np.bincount(matches.query, minlength=queries)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
