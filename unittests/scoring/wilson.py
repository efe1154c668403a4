"""Wilson's interval from its definition, not from its closed form."""

import numpy as np
from scipy import stats


def wilson_ends(value, rounds, level, subjects):
    """The two p at which ``value`` lies t standard errors away, where n is what the variance of ``rounds`` amounts to:
    the roots of (value - p)^2 = t^2 p (1 - p) / n."""
    n = value * (1 - value) / np.var(rounds)
    t = stats.t(subjects - 1).interval(level)[1]
    return sorted(np.roots([1 + t**2 / n, -2 * value - t**2 / n, value**2]))
