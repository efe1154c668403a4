"""How much a rate would vary if other subjects had been photographed: its variance over subjects, in closed form.

Two comparisons that share a subject are not independent. With residuals r_c = error_c - rate, summed over each pair of
subjects to R_p and over all comparisons of subject s to d_s, the variance of a genuine rate is sum d_s^2 / N^2, that of
an impostor rate (sum d_s^2 - sum R_p^2) / N^2: every product of two comparisons that share a subject, each once. This
is the dyadic cluster-robust variance (Aronow, Samii and Assenova 2015). Drawing subjects with replacement gives the
same but for the noise of each pair of subjects, which it counts three times; where every two subjects meet only once,
its intervals are too wide.

The residuals are taken around the estimated rate, which makes their products too small, by the share of all products
that is counted; the result is divided by one minus that share, as it is where all subjects have equally many
comparisons. Where they have not, a subject with a large share w_s of them pulls the rate to its own, so that its d_s
all but vanishes: each d_s is divided by 1 - w_s, as in the jackknife, which leaves each subject out in turn
(Quenouille 1956; the correction HC3 of MacKinnon and White 1985). Heavy tails (a few subjects who cause most errors)
enter through the degrees of freedom, after Satterthwaite, from the fourth moments of d_s; they are no more than those
of as many equal subjects as the shares amount to, (sum w_s)^2 / sum w_s^2 (Kish 1965).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.counts import Floats, Ints, PairCounts, add_up, compact

MIN_FREEDOM = 3.0
_TINY = 1e-9
_NO_VARIANCE = 1e-24  # what rounding errors leave where all subjects come out alike


@dataclass(frozen=True)
class Spread:
    """Rates of C cells and what their intervals rest on; all (C,).

    Attributes:
        rate: errors / comparisons; NaN without comparisons.
        comparisons, errors: counts.
        subjects: distinct subjects.
        equal_subjects: how many subjects with equally many comparisons each would tell as much; NaN without any.
        variance: of the rate, over subjects; NaN where it is undefined (no comparisons, one subject, nobody is named).
        degrees_of_freedom: of the variance.
        genuine: which kind of comparisons they are.
    """

    rate: Floats
    comparisons: Floats
    errors: Floats
    subjects: Ints
    variance: Floats
    degrees_of_freedom: Floats
    genuine: bool
    equal_subjects: Floats


def leverage(share: Floats, subjects: Floats | float, genuine: bool) -> Floats:
    """What each subject's d is multiplied by: 1 where all ``subjects`` have the same ``share`` of the comparisons.

    ``share`` counts a comparison of two subjects for both. A subject that is in every comparison leaves none to compare
    it with: NaN.
    """
    equal = (1.0 if genuine else 2.0) / subjects
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share < 1.0 - _TINY, (1.0 - equal) / (1.0 - share), np.nan)


def spread(counts: PairCounts, cell: Ints, cells: int) -> Spread:
    """Rates of ``cells`` cells, ``cell (Q,)`` being the one that each pair of nodes belongs to."""
    total = add_up(cell, counts.comparisons, cells)
    errors = add_up(cell, counts.errors, cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = errors / total
    share = counts.comparisons / total[cell]
    residual = counts.errors / total[cell] - rate[cell] * share
    subjects, moments = _over_subjects(counts, cell, cells, residual, share)
    # What two subjects' comparisons share is in d_s of both of them, so it is taken away once.
    pairs = np.zeros((2, cells)) if counts.genuine else _sums(cell, cells, np.square(residual), np.square(share))
    if counts.nodes.subjects == 0:
        subjects = np.zeros(cells, np.int64)
    return spread_of_sums(total, errors, subjects, moments, pairs, counts.genuine)


def spread_of_sums(
    total: Floats, errors: Floats, subjects: Ints, moments: NDArray[np.float64], pairs: NDArray[np.float64],
    genuine: bool,
) -> Spread:  # fmt: skip
    """Rates of C cells from the sums that they rest on.

    Args:
        total, errors: (C,) comparisons and errors.
        subjects: (C,) distinct subjects; 0 where they are not named.
        moments: (3, C) sums over subjects of d^2, of d^4, each d by its :func:`leverage`, and of (share of the
            comparisons)^2.
        pairs: (2, C) sums over pairs of subjects of (sum of residuals)^2 and of (share of the comparisons)^2; 0 for
            genuine comparisons.
        genuine: which kind they are.
    """
    second, fourth, load = moments
    ends = 1.0 if genuine else 2.0
    with np.errstate(invalid="ignore", divide="ignore"):
        known = 1.0 - (ends**2 / subjects - pairs[1])
        equal_subjects = np.where(load > 0, ends**2 / load, np.nan)
        rate = errors / total
        seen = (total > 0) & (known > _TINY)
        variance = np.where(seen, np.maximum(second - pairs[0], pairs[0]) / known, np.nan)
        variance = np.where(variance < _NO_VARIANCE, 0.0, variance)
        kurtosis = fourth * subjects / second**2
        degrees = 2.0 * subjects / (kurtosis - 1.0 + 2.0 / (subjects - 1.0))
    # Two subjects have one degree of freedom, three have two.
    most = np.maximum(np.fmin(subjects, equal_subjects) - 1.0, 1.0)
    degrees = np.clip(np.nan_to_num(degrees, nan=MIN_FREEDOM), np.minimum(MIN_FREEDOM, most), most)
    variance = np.where(subjects > 0, variance, np.nan)
    return Spread(rate, total, errors, subjects, variance, degrees, genuine, equal_subjects)


def _sums(cell: Ints, cells: int, *values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.stack([add_up(cell, value, cells) for value in values])


def _over_subjects(
    counts: PairCounts, cell: Ints, cells: int, residual: Floats, share: Floats
) -> tuple[Ints, NDArray[np.float64]]:
    """Subjects in each cell, and the sums over them of d^2, d^4 and (share of the comparisons)^2: (C,), (3, C)."""
    subject, width = counts.nodes.subject, max(counts.nodes.subjects, 1)
    ends = [counts.first] if counts.genuine else [counts.first, counts.second]
    keys = np.concatenate([cell * width + subject[end] for end in ends])
    found, place = compact(keys)
    d, own = (add_up(place, np.tile(value, len(ends)), len(found)) for value in (residual, share))
    where = found // width
    subjects = np.bincount(where, minlength=cells)
    d = d * leverage(own, subjects[where], counts.genuine)
    return subjects, _sums(where, cells, np.square(d), d**4, np.square(own))


def independent_in(counts: PairCounts, cell: Ints) -> Callable[[int], int]:
    """:func:`independent_comparisons` of any one cell, ``cell (Q,)`` being the one that each pair of nodes is in."""
    return lambda one: independent_comparisons(counts.only(cell == one))


def independent_comparisons(counts: PairCounts) -> int:
    """How many comparisons can be picked so that no two share a subject (greedily, so a lower bound)."""
    subject = counts.nodes.subject
    if counts.genuine:
        return len(np.unique(subject[counts.first]))
    free = np.ones(max(counts.nodes.subjects, 1), bool)
    picked = 0
    for a, b in zip(subject[counts.first].tolist(), subject[counts.second].tolist(), strict=True):
        if free[a] and free[b]:
            free[a] = free[b] = False
            picked += 1
    return picked
