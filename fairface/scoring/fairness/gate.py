"""Conditions on which a pipeline stops: ``fnmr_gap>0.02``.

    condition = [grouping ":"] measure ["@" bound] operator number
    bound     = "value" | "low" | "high"
    operator  = ">" | ">=" | "<" | "<="

Without a bound the cautious one is taken: ``>`` looks at the upper end of the interval, ``<`` at the lower. Without a
grouping the condition is met when it is met for any. A measure that is undefined, or has no interval,
meets every condition: what cannot be shown does not pass.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fairface.errors import ConfigError
from fairface.scoring.fairness.scalars import Scalar

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION = re.compile(
    rf"\s*(?:(?P<grouping>[^:@<>=\s]+)\s*:)?\s*(?P<measure>[a-z_]+)\s*(?:@\s*(?P<bound>value|low|high))?"
    rf"\s*(?P<operator>>=|<=|>|<)\s*(?P<number>{_NUMBER})\s*"
)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One parsed condition; ``grouping`` is empty for any."""

    text: str
    grouping: str
    measure: str
    bound: str
    operator: str
    number: float


def parse_condition(text: str) -> Condition:
    """Parse one condition.

    Raises:
        ConfigError: it does not follow the grammar.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"--fail-if {text!r} is not understood; write [grouping:]measure[@value|@low|@high] and > >= < or <= and a "
            "number, such as 'fnmr_gap>0.02' or 'sex:garbe@value>0.2'"
        )
    sign = match["operator"]
    bound = match["bound"] or ("high" if sign.startswith(">") else "low")
    return Condition(text.strip(), match["grouping"] or "", match["measure"], bound, sign, float(match["number"]))


def failures(conditions: Sequence[Condition], measures: Mapping[str, Mapping[str, Scalar]]) -> list[str]:
    """A sentence for each condition that is met; ``measures`` are the scalars of each grouping by name.

    Raises:
        ConfigError: a grouping or measure that is not there.
    """
    met = []
    for condition in conditions:
        for name, scalars in _chosen(condition, measures).items():
            sentence = _check(condition, name, scalars[condition.measure])
            if sentence:
                met.append(sentence)
    return met


def _chosen(condition: Condition, measures: Mapping[str, Mapping[str, Scalar]]) -> dict[str, Mapping[str, Scalar]]:
    if condition.grouping and condition.grouping not in measures:
        raise ConfigError(
            f"--fail-if {condition.text!r}: there is no grouping {condition.grouping!r}; "
            f"there are {', '.join(measures)}"
        )
    names = [condition.grouping] if condition.grouping else list(measures)
    chosen = {name: measures[name] for name in names if condition.measure in measures[name]}
    if not chosen:
        known = ", ".join(dict.fromkeys(key for name in names for key in measures[name]))
        raise ConfigError(f"--fail-if {condition.text!r}: there is no measure {condition.measure!r}; measures: {known}")
    return chosen


def _check(condition: Condition, name: str, scalar: Scalar) -> str:
    number = float(getattr(scalar, condition.bound))
    where = f"{condition.text}: {name}: {scalar.name}"
    if math.isnan(number):
        return f"{where} is undefined ({scalar.reason or 'there is no interval'}), so it cannot be shown to pass"
    if not _OPERATORS[condition.operator](number, condition.number):
        return ""
    what = "is" if condition.bound == "value" else f"= {scalar.value:.4g}, {condition.bound} end of its interval is"
    return f"{where} {what} {number:.4g}"
