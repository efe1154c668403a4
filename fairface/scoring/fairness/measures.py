"""Fairness of a set of groups as one number: pure functions of the groups' FMR and FNMR at one shared threshold.

All take rates (..., K) of K groups and give (...,). Where a number is undefined (a ratio with a rate of 0 below it) it
is NaN. alpha is the weight of FMR against FNMR; since FMR is mostly far smaller, results for different alpha cannot be
compared, so alpha is always told beside them.

- worst: the highest rate; gap: the highest less the lowest.
- FDR, fairness discrepancy rate: 1 - (alpha A + (1 - alpha) B), A and B being the largest differences in FMR and FNMR;
  1 is best (arXiv 2011.02395).
- inequity rate: (max FMR / min FMR)^alpha x (max FNMR / min FNMR)^(1 - alpha); 1 is best (see arXiv 2203.05051).
- GARBE: alpha G(FMR) + (1 - alpha) G(FNMR), G the Gini coefficient with n / (n - 1); 0 is best (arXiv 2203.05051).
- max/min, max/geometric mean: of FMR and of FNMR apart; 1 is best. In the form that is told of the NIST reports on
  demographic effects, which was not checked against their text: unofficial.
- SED: relative differences of each group's rates from the pooled rate, FMR and FNMR added; mean and standard deviation
  over groups; 0 is best (idea: arXiv 2404.15385; the form per group was not checked: unofficial).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rates = NDArray[np.float64]
UNOFFICIAL = "unofficial form"


def gap(rates: Rates) -> Rates:
    """max - min."""
    return np.asarray(rates.max(axis=-1) - rates.min(axis=-1))


def max_min(rates: Rates) -> Rates:
    """max / min."""
    return _over(rates.max(axis=-1), rates.min(axis=-1))


def max_geomean(rates: Rates) -> Rates:
    """max / geometric mean."""
    with np.errstate(divide="ignore"):
        return _over(rates.max(axis=-1), np.exp(np.log(rates).mean(axis=-1)))


def gini(rates: Rates) -> Rates:
    """n / (n - 1) x the Gini coefficient."""
    count = rates.shape[-1]
    differences = np.abs(rates[..., :, None] - rates[..., None, :]).sum(axis=(-2, -1))
    return _over(differences, 2.0 * count * (count - 1) * rates.mean(axis=-1))


def fdr(fmr: Rates, fnmr: Rates, alpha: float) -> Rates:
    """Fairness discrepancy rate."""
    return 1.0 - (alpha * gap(fmr) + (1.0 - alpha) * gap(fnmr))


def inequity_rate(fmr: Rates, fnmr: Rates, alpha: float) -> Rates:
    """Inequity rate."""
    return np.asarray(max_min(fmr) ** alpha * max_min(fnmr) ** (1.0 - alpha))


def garbe(fmr: Rates, fnmr: Rates, alpha: float) -> Rates:
    """Gini aggregation rate for biometric equitability."""
    return np.asarray(alpha * gini(fmr) + (1.0 - alpha) * gini(fnmr))


def sed(fmr: Rates, fnmr: Rates, weights_fmr: Rates, weights_fnmr: Rates) -> Rates:
    """(..., K): the relative difference of each group from the pooled rates; weights are the groups' comparisons."""
    total = np.zeros(fmr.shape)
    for rates, weights in ((fmr, weights_fmr), (fnmr, weights_fnmr)):
        pooled = (rates * weights).sum(axis=-1, keepdims=True) / weights.sum()
        total = total + _over(np.abs(rates - pooled), np.broadcast_to(pooled, rates.shape))
    return total


def _over(above: Rates, below: Rates) -> Rates:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, np.divide(above, below), np.nan)


@dataclass(frozen=True)
class Setting:
    """What scalars need besides rates: ``alpha``, and the comparisons (K,) behind each group's FMR and FNMR."""

    alpha: float
    impostor: Rates
    genuine: Rates


@dataclass(frozen=True)
class Rule:
    """One scalar.

    Attributes:
        name: as it is reported.
        error_types: the rates that it is made of, in the order in which ``compute`` takes them.
        compute: from these rates (..., K) and a :class:`Setting` to (...,).
        best: its value when all groups are equal.
        worse_when_larger: the direction.
        uses_alpha: whether alpha matters.
        note: what to know of it.
    """

    name: str
    error_types: tuple[str, ...]
    compute: Callable[[Sequence[Rates], Setting], Rates]
    best: float
    worse_when_larger: bool = True
    uses_alpha: bool = False
    note: str = ""


def _sed(rates: Sequence[Rates], setting: Setting) -> Rates:
    return sed(rates[0], rates[1], setting.impostor, setting.genuine)


def _deviation(values: Rates) -> Rates:
    """Standard deviation, without the rounding errors that equal values leave."""
    found = values.std(axis=-1)
    return np.where(found > 1e-12 * np.abs(values).max(axis=-1), found, 0.0 * found)


def _of_one(error: str) -> list[Rule]:
    return [
        Rule(f"{error}_worst", (error,), lambda rates, _: rates[0].max(axis=-1), 0.0, note="highest rate of a group"),
        Rule(f"{error}_gap", (error,), lambda rates, _: gap(rates[0]), 0.0, note="max - min"),
        Rule(f"{error}_max_min", (error,), lambda rates, _: max_min(rates[0]), 1.0, note=UNOFFICIAL),
        Rule(f"{error}_max_geomean", (error,), lambda rates, _: max_geomean(rates[0]), 1.0, note=UNOFFICIAL),
    ]


BOTH = ("fmr", "fnmr")
RULES = (
    *_of_one("fnmr"),
    *_of_one("fmr"),
    Rule("fdr", BOTH, lambda rates, s: fdr(rates[0], rates[1], s.alpha), 1.0, worse_when_larger=False, uses_alpha=True,
         note="fairness discrepancy rate"),
    Rule("inequity_rate", BOTH, lambda rates, s: inequity_rate(rates[0], rates[1], s.alpha), 1.0, uses_alpha=True),
    Rule("garbe", BOTH, lambda rates, s: garbe(rates[0], rates[1], s.alpha), 0.0, uses_alpha=True),
    Rule("sed_mean", BOTH, lambda rates, s: _sed(rates, s).mean(axis=-1), 0.0, note=UNOFFICIAL),
    Rule("sed_std", BOTH, lambda rates, s: _deviation(_sed(rates, s)), 0.0, note=UNOFFICIAL),
)  # fmt: skip
