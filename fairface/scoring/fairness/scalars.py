"""Scalars over groups with their intervals and with what permuted labels give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.quantity import quantity
from fairface.scoring.fairness.measures import Rates
from fairface.scoring.fairness.rules import Rule, Setting
from fairface.scoring.measure import number

_UNDEFINED_SHARE = 0.025


@dataclass(frozen=True)
class Scalar:
    """One number about several groups, and all that it takes to read it.

    Attributes:
        name, value: NaN where undefined, with a ``reason``.
        low, high: interval at ``level``; infinite or NaN where an end cannot be told.
        null_median, null_extreme: the median and the 95th percentile under permutation (for the worse end).
        p_value: of a permutation test: share of permutations at least as bad as the value.
        null_rounds: shuffles that this rests on.
        best: the value of perfect equality; ``worse_when_larger`` tells the direction.
        groups: the groups that it is about (those with enough subjects).
        alpha: weight of FMR, where it matters.
        note: what kind of number it is.
    """

    name: str
    value: float
    low: float
    high: float
    level: float
    best: float
    worse_when_larger: bool
    groups: tuple[str, ...]
    reason: str = ""
    null_median: float = math.nan
    null_extreme: float = math.nan
    p_value: float = math.nan
    null_rounds: int = 0
    alpha: float | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        numbers = ("value", "low", "high", "null_median", "null_extreme", "p_value")
        result: dict[str, Any] = {key: number(getattr(self, key)) for key in numbers}
        result |= {"reason": self.reason, "best": self.best, "worse": "larger" if self.worse_when_larger else "smaller"}
        result |= {"level": self.level, "null_rounds": self.null_rounds, "alpha": self.alpha}
        result["unbounded"] = math.isinf(self.high)
        return result | {"groups": list(self.groups), "note": self.note}


@dataclass(frozen=True)
class GroupRates:
    """FMR or FNMR of the K groups that a scalar is about.

    Attributes:
        name: ``fmr`` or ``fnmr``.
        rates: (K,).
        rounds: (B, K), resampled; empty without intervals.
        shuffled: (B, K); empty without a null.
        worst, gap, ratio: intervals of max, of max - min and of max / min; NaN where the rate of a group has none.
        joint_gap, joint_ratio: as ``gap`` and ``ratio``, at a level at which those of FMR and FNMR hold together.
    """

    name: str
    rates: Rates
    rounds: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    worst: tuple[float, float]
    gap: tuple[float, float]
    joint_gap: tuple[float, float]
    ratio: tuple[float, float]
    joint_ratio: tuple[float, float]

    @property
    def bounded(self) -> bool:
        """Whether the rate of every group has an interval."""
        return not math.isnan(self.gap[0])


def measure(
    rule: Rule, error_types: Sequence[GroupRates], setting: Setting, groups: tuple[str, ...], level: float
) -> Scalar:
    """One scalar by its rule; ``error_types`` are the rates that the rule names."""
    value = float(rule.compute([one.rates for one in error_types], setting))
    reason = _reason(error_types, value)
    low, high = _interval(rule, error_types, setting, value, level)
    nulls = _values(rule, [one.shuffled for one in error_types], setting)
    nulls = nulls[~np.isnan(nulls)]
    enough = len(nulls) > 0 and not math.isnan(value)
    sign = 1.0 if rule.worse_when_larger else -1.0
    return replace(
        undefined(rule, groups, reason, level, setting.alpha),
        note=rule.note + _stand_in(rule, error_types, value),
        value=value,
        low=low,
        high=high,
        null_median=float(np.median(nulls)) if enough else math.nan,
        null_extreme=float(sign * np.quantile(sign * nulls, 0.95)) if enough else math.nan,
        null_rounds=len(nulls) if enough else 0,
        p_value=float((1 + (sign * nulls >= sign * value - 1e-12).sum()) / (1 + len(nulls))) if enough else math.nan,
    )


def undefined(rule: Rule, groups: tuple[str, ...], reason: str, level: float, alpha: float) -> Scalar:
    """A scalar without a value."""
    return Scalar(
        name=rule.name,
        value=math.nan,
        low=math.nan,
        high=math.nan,
        level=level,
        best=rule.best,
        worse_when_larger=rule.worse_when_larger,
        groups=groups,
        reason=reason,
        alpha=alpha if rule.uses_alpha else None,
        note=rule.note,
    )


def _values(rule: Rule, rates: Sequence[NDArray[np.float64]], setting: Setting) -> NDArray[np.float64]:
    rows = min(len(of_error_type) for of_error_type in rates)  # long lists of impostors are shuffled fewer times
    return np.asarray(rule.compute([of_error_type[:rows] for of_error_type in rates], setting), np.float64)


def _interval(
    rule: Rule, error_types: Sequence[GroupRates], setting: Setting, value: float, level: float
) -> tuple[float, float]:
    """Percentiles of the rounds; the end towards equality reaches it unless the rates can be told apart.

    Resampling never gives equal rates, so percentiles alone would exclude equality even where it is true. A measure of
    FMR and FNMR excludes it where one of two gaps does; each is then taken at the level 1 - (1 - level) / 2
    (Bonferroni), so that equality is excluded wrongly as rarely as ``level`` says.
    """
    known = {"worst": error_types[0].worst, "gap": error_types[0].gap, "max_min": error_types[0].ratio}
    ending = rule.name.partition("_")[2]
    if len(error_types) == 1 and ending in known:
        return known[ending]
    rounds = _values(rule, [one.rounds for one in error_types], setting)
    if math.isnan(value) or len(rounds) == 0 or not all(one.bounded for one in error_types):
        return math.nan, math.nan
    tail = (1.0 - level) / 2.0
    defined = rounds[~np.isnan(rounds)]
    if len(defined) < len(rounds) * (1.0 - _UNDEFINED_SHARE):
        low, high = (float(np.quantile(defined, tail)) if len(defined) else math.nan), math.inf
    else:
        low, high = (float(bound) for bound in np.quantile(defined, [tail, 1.0 - tail]))
    if rule.name == "inequity_rate":
        low, high = _of_ratios(error_types, setting.alpha)
    gaps = [one.gap if len(error_types) == 1 else one.joint_gap for one in error_types]
    if not any(lower > 0 for lower, _ in gaps):
        low, high = (rule.best, high) if rule.worse_when_larger else (low, rule.best)
    return min(low, value), max(high, value)


def _of_ratios(error_types: Sequence[GroupRates], alpha: float) -> tuple[float, float]:
    """The inequity rate at both ends of the ratios of FMR and FNMR, which hold together.

    Percentiles lie too high: the largest of several drawn rates over the smallest exceeds the true ratio, and a product
    of two exceeds it more. They held the truth in 81 % of draws of 4 groups of 60 people.
    """
    fmr, fnmr = (one.joint_ratio for one in error_types)
    low, high = (fmr[end] ** alpha * fnmr[end] ** (1.0 - alpha) for end in (0, 1))
    return low, high


def _stand_in(rule: Rule, error_types: Sequence[GroupRates], value: float) -> str:
    """What to know of a value in which something stands for a rate of 0: it may look better than equality."""
    if not rule.fills_zero or math.isnan(value) or not any((one.rates == 0).any() for one in error_types):
        return ""
    told = "; the upper bound stands for a rate of 0"
    if value < rule.best:
        told += f", and a value below {rule.best:g} says that there are too few comparisons for this measure"
    return told


def _reason(error_types: Sequence[GroupRates], value: float) -> str:
    if not math.isnan(value):
        unbounded = [one.name.upper() for one in error_types if not one.bounded]
        return f"the {' and the '.join(unbounded)} of a group has no confidence interval" if unbounded else ""
    return "; ".join(
        f"{one.name.upper()} is 0 in {int((one.rates == 0).sum())} of {quantity(len(one.rates), 'group')}: division by "
        "0"
        for one in error_types
        if (one.rates == 0).any()
    )
