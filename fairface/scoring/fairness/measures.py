"""Fairness of a set of groups as one number: pure functions of the groups' FMR and FNMR at one shared threshold.

All take rates (..., K) of K groups and give (...,). Where a number is undefined (a ratio with a rate of 0 below it) it
is NaN. alpha is the weight of FMR against FNMR; since FMR is mostly far smaller, results for different alpha cannot be
compared, so alpha is always told beside them.

Equation numbers are those of NISTIR 8429 (Face Recognition Vendor Test part 8, 2022). What a published text leaves open
is said where it matters and in docs/measures.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rates = NDArray[np.float64]
_ONE_SIDED = 0.95


def gap(rates: Rates) -> Rates:
    """Max - Min (NISTIR 8429, equations 1 and 2)."""
    return np.asarray(rates.max(axis=-1) - rates.min(axis=-1))


def max_min(rates: Rates) -> Rates:
    """Max/Min (NISTIR 8429, equations 3 to 5); NaN where a group has no error."""
    return _over(rates.max(axis=-1), rates.min(axis=-1))


def zero_error_bound(comparisons: Rates) -> Rates:
    """The rate that stands for 0 errors in so many ``comparisons``: about 3 / N (NISTIR 8429, section 4.2).

    It is the upper end of the one-sided 95 % interval of Clopper and Pearson (1934).
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 - (1.0 - _ONE_SIDED) ** (1.0 / np.asarray(comparisons, np.float64)))


def max_geomean(rates: Rates, comparisons: Rates) -> Rates:
    """Max / geometric mean (NISTIR 8429, equations 6, 7 and 9, its leading measure); NaN where no group has an error.

    In the mean alone, :func:`zero_error_bound` of the group's ``comparisons`` (K,) stands for a rate of 0. A value
    below 1 therefore says that groups without errors were compared too rarely for the measure.
    """
    filled = np.where(rates > 0, rates, np.broadcast_to(zero_error_bound(comparisons), rates.shape))
    highest = rates.max(axis=-1)
    return np.where(highest > 0, _over(highest, np.exp(np.log(filled).mean(axis=-1))), np.nan)


def mera(rates: Rates) -> Rates:
    """MERA: max / arithmetic mean; between 1 and K."""
    return _over(rates.max(axis=-1), rates.mean(axis=-1))


def gini(rates: Rates) -> Rates:
    """Gini coefficient with n / (n - 1) (NISTIR 8429, equations 13 and 14): 0 to 1."""
    count = rates.shape[-1]
    differences = np.abs(rates[..., :, None] - rates[..., None, :]).sum(axis=(-2, -1))
    return _over(differences, 2.0 * count * (count - 1) * rates.mean(axis=-1))


def mape(rates: Rates, comparisons: Rates) -> Rates:
    """MAPE: mean over groups of abs(rate - pooled rate) / pooled rate (Villalobos, Mery and Bowyer, IEEE Access 2022).

    The pooled rate is that of all the groups' ``comparisons`` (K,). The published text was not at hand; that its FMR*
    is this pooled rate is inferred.
    """
    return np.asarray(_relative_differences(rates, comparisons).mean(axis=-1))


def fdr(fmr: Rates, fnmr: Rates, alpha: float) -> Rates:
    """FDR, fairness discrepancy rate: 1 - (alpha A + (1 - alpha) B), A and B being Max - Min of FMR and of FNMR
    (arXiv 2011.02395)."""
    return 1.0 - (alpha * gap(fmr) + (1.0 - alpha) * gap(fnmr))


def inequity_rate(fmr: Rates, fnmr: Rates, alpha: float) -> Rates:
    """IR, inequity rate: Max/Min of FMR to the power alpha x Max/Min of FNMR to the power 1 - alpha (see arXiv
    2203.05051)."""
    return np.asarray(max_min(fmr) ** alpha * max_min(fnmr) ** (1.0 - alpha))


def garbe(fmr: Rates, fnmr: Rates, alpha: float) -> Rates:
    """GARBE, Gini aggregation rate for biometric equitability: alpha G(FMR) + (1 - alpha) G(FNMR) (arXiv 2203.05051).

    ISO/IEC 19795-10 is told to give this name to a sum of ratios; this is the paper's.
    """
    return np.asarray(alpha * gini(fmr) + (1.0 - alpha) * gini(fnmr))


def werm(fmr: Rates, fnmr: Rates, impostor: Rates, genuine: Rates, alpha: float) -> Rates:
    """WERM, worst-case error rate metric: Max/GeoMean of FMR to the power alpha x that of FNMR to the power 1 - alpha.

    ``impostor`` and ``genuine`` (K,) are the groups' comparisons. Published code puts 0.00001 for a rate of 0; here it
    is what :func:`max_geomean` puts there.
    """
    return np.asarray(max_geomean(fmr, impostor) ** alpha * max_geomean(fnmr, genuine) ** (1.0 - alpha))


def sedg(fmr: Rates, fnmr: Rates, impostor: Rates, genuine: Rates) -> Rates:
    """SEDG, sum of error differences: (..., K), of each group the relative differences of its FMR and of its FNMR from
    the pooled ones, added (arXiv 2404.15385; the form per group was not checked against it).

    ``impostor`` and ``genuine`` (K,) are the groups' comparisons.
    """
    return _relative_differences(fmr, impostor) + _relative_differences(fnmr, genuine)


def _relative_differences(rates: Rates, comparisons: Rates) -> Rates:
    pooled = (rates * comparisons).sum(axis=-1, keepdims=True) / comparisons.sum()
    return _over(np.abs(rates - pooled), np.broadcast_to(pooled, rates.shape))


def _over(above: Rates, below: Rates) -> Rates:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, np.divide(above, below), np.nan)
