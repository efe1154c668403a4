"""The measures that a fairness score reports: what each is made of, its direction, and its name for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fairface.scoring.fairness.measures import (
    Rates,
    fdr,
    gap,
    garbe,
    gini,
    inequity_rate,
    mape,
    max_geomean,
    max_min,
    mera,
    sedg,
    werm,
)

UNOFFICIAL = "form per group inferred"


@dataclass(frozen=True)
class Setting:
    """What measures need besides rates: ``alpha``, and the comparisons (K,) behind each group's FMR and FNMR."""

    alpha: float
    impostor: Rates
    genuine: Rates

    def behind(self, error: str) -> Rates:
        """The comparisons behind ``fmr`` or ``fnmr``."""
        return self.impostor if error == "fmr" else self.genuine


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
        fills_zero: whether something else stands for a rate of 0, :func:`measures.zero_error_bound`.
        note: its name in print, and what to know of it.
    """

    name: str
    error_types: tuple[str, ...]
    compute: Callable[[Sequence[Rates], Setting], Rates]
    best: float
    worse_when_larger: bool = True
    uses_alpha: bool = False
    fills_zero: bool = False
    note: str = ""


def _sedg(rates: Sequence[Rates], setting: Setting) -> Rates:
    return sedg(rates[0], rates[1], setting.impostor, setting.genuine)


def _werm(rates: Sequence[Rates], setting: Setting) -> Rates:
    return werm(rates[0], rates[1], setting.impostor, setting.genuine, setting.alpha)


def _deviation(values: Rates) -> Rates:
    """Standard deviation, without the rounding errors that equal values leave."""
    found = values.std(axis=-1)
    return np.where(found > 1e-12 * np.abs(values).max(axis=-1), found, 0.0 * found)


def _of_one(error: str) -> list[Rule]:
    only = (error,)
    rules = [
        Rule(f"{error}_worst", only, lambda rates, _: rates[0].max(axis=-1), 0.0, note="highest rate of a group"),
        Rule(f"{error}_gap", only, lambda rates, _: gap(rates[0]), 0.0, note="Max - Min, NISTIR 8429 eq. 1-2"),
        Rule(f"{error}_max_min", only, lambda rates, _: max_min(rates[0]), 1.0, note="Max/Min, NISTIR 8429 eq. 3-5"),
        Rule(f"{error}_max_geomean", only, lambda rates, s: max_geomean(rates[0], s.behind(error)), 1.0,
             fills_zero=True, note="Max/GeoMean, NISTIR 8429 eq. 6-9"),
        Rule(f"{error}_gini", only, lambda rates, _: gini(rates[0]), 0.0, note="Gini, NISTIR 8429 eq. 13-14"),
        Rule(f"{error}_mera", only, lambda rates, _: mera(rates[0]), 1.0, note="MERA, Max/Mean"),
    ]  # fmt: skip
    if error == "fmr":
        rules.append(Rule("fmr_mape", only, lambda rates, s: mape(rates[0], s.impostor), 0.0,
                          note=f"MAPE, mean abs(FMR - pooled)/pooled; {UNOFFICIAL}"))  # fmt: skip
    return rules


BOTH = ("fmr", "fnmr")
RULES = (
    *_of_one("fnmr"),
    *_of_one("fmr"),
    Rule("fdr", BOTH, lambda rates, s: fdr(rates[0], rates[1], s.alpha), 1.0, worse_when_larger=False, uses_alpha=True,
         note="FDR, fairness discrepancy rate"),
    Rule("inequity_rate", BOTH, lambda rates, s: inequity_rate(rates[0], rates[1], s.alpha), 1.0, uses_alpha=True,
         note="IR, inequity rate"),
    Rule("garbe", BOTH, lambda rates, s: garbe(rates[0], rates[1], s.alpha), 0.0, uses_alpha=True,
         note="GARBE, weighted sum of both Gini"),
    Rule("werm", BOTH, _werm, 1.0, uses_alpha=True, fills_zero=True,
         note="WERM, weighted product of both Max/GeoMean"),
    Rule("sedg_mean", BOTH, lambda rates, s: _sedg(rates, s).mean(axis=-1), 0.0, note=f"SEDG, mean; {UNOFFICIAL}"),
    Rule("sedg_std", BOTH, lambda rates, s: _deviation(_sedg(rates, s)), 0.0,
         note=f"SEDG, standard deviation; {UNOFFICIAL}"),
)  # fmt: skip
