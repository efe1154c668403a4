"""Intervals of rates and of their differences.

A genuine rate gets a Wilson interval (Wilson 1927) with an **effective** number of comparisons, r (1 - r) / variance,
so that the dependence between comparisons of the same subjects counts, and with a t quantile for the normal one. What
two subjects contribute to an impostor rate multiplies, which makes it more lopsided: it gets a t interval on the logit
scale. Differences combine the intervals of their two rates (Newcombe 1998, method 10), which keeps their lopsidedness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.scoring.fairness.spread import Spread


def rate_interval(spread: Spread, cell: int, level: float, independent: int | None = None) -> tuple[float, float]:
    """Interval of the rate of one cell; NaN where its variance is undefined.

    Without any error, or with nothing but errors, subjects' differences cannot be seen: the interval is then the exact
    binomial one of the ``independent`` comparisons that share no subject.
    """
    rate, errors, comparisons = spread.rate[cell], spread.errors[cell], spread.comparisons[cell]
    tail = (1.0 - level) / 2.0
    if comparisons == 0 or spread.subjects[cell] == 0:
        return np.nan, np.nan
    if errors in (0, comparisons):
        if not independent:
            return np.nan, np.nan
        bound = 1.0 - tail ** (1.0 / independent)
        return (0.0, bound) if errors == 0 else (1.0 - bound, 1.0)
    variance = spread.variance[cell]
    if not variance > 0:
        return np.nan, np.nan
    n = float(min(rate * (1.0 - rate) / variance, comparisons))
    t = float(stats.t.ppf(1.0 - tail, spread.degrees_of_freedom[cell]))
    return _wilson(rate, n, t) if spread.genuine else _logit(rate, n, t)


def _wilson(rate: float, n: float, t: float) -> tuple[float, float]:
    centre = (rate + t * t / (2 * n)) / (1 + t * t / n)
    half = t * np.sqrt(rate * (1 - rate) / n + t * t / (4 * n * n)) / (1 + t * t / n)
    return float(max(centre - half, 0.0)), float(min(centre + half, 1.0))


def _logit(rate: float, n: float, t: float) -> tuple[float, float]:
    centre, half = np.log(rate / (1 - rate)), t / np.sqrt(n * rate * (1 - rate))
    return float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre)))


def difference_interval(
    a: float, of_a: tuple[float, float], b: float, of_b: tuple[float, float]
) -> tuple[float, float]:
    """Interval of a - b for independent rates ``a`` and ``b`` from their own intervals."""
    below = np.hypot(a - of_a[0], of_b[1] - b)
    above = np.hypot(of_a[1] - a, b - of_b[0])
    return float(a - b - below), float(a - b + above)


def simultaneous_level(groups: int, level: float) -> float:
    """The level at which each rate's interval must be taken so that all differences between ``groups`` rates hold
    together at ``level``: from the studentized range of ``groups`` normal values with known variance (Tukey)."""
    if groups < 3:
        return level
    quantile = stats.studentized_range.ppf(level, groups, np.inf)
    return float(2.0 * stats.norm.cdf(quantile / np.sqrt(2.0)) - 1.0)


def gap_interval(
    rates: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[float, float]:
    """Interval of the largest difference between rates from their intervals at :func:`simultaneous_level`; NaN where
    one of these is: a rate that nothing bounds can be the highest or the lowest."""
    if np.isnan([rates, low, high]).any():
        return np.nan, np.nan
    k = len(rates)
    bounds = [
        difference_interval(rates[i], (low[i], high[i]), rates[j], (low[j], high[j]))
        for i in range(k) for j in range(k) if i != j
    ]  # fmt: skip
    return max(0.0, *(bound[0] for bound in bounds)), min(1.0, max(bound[1] for bound in bounds))


def ratio_interval(
    rates: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[float, float]:
    """Interval of max / min of the rates: as :func:`gap_interval`, on logarithms; infinite where a rate may be 0."""
    if np.isnan([rates, low, high]).any():
        return np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.stack([rates, low, high]))
    if not np.isfinite(logs[0]).all():
        # A rate of 0 has no logarithm: what can be said is the highest lower bound over the lowest upper bound.
        return max(1.0, float(low.max() / high.min())), np.inf
    k = len(rates)
    bounds = [
        difference_interval(logs[0, i], (logs[1, i], logs[2, i]), logs[0, j], (logs[1, j], logs[2, j]))
        for i in range(k) for j in range(k) if i != j
    ]  # fmt: skip
    return max(1.0, float(np.exp(max(b[0] for b in bounds)))), float(np.exp(max(b[1] for b in bounds)))
