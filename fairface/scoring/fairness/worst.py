"""The most discriminated group: computed, not assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.errors import ConfigError
from fairface.quantity import quantity
from fairface.scoring.fairness.rate import Rate
from fairface.scoring.fairness.result import GroupingResult

ERROR_TYPES = ("fnmr", "fmr")


@dataclass(frozen=True)
class WorstGroup:
    """The group with the highest rate of one type of error.

    Attributes:
        error: ``fnmr`` (genuine comparisons) or ``fmr`` (impostor comparisons); the two need not name the same group.
        group: ``None`` where no two groups have enough subjects, or none has an error.
        rate: of this group; ``None`` with it.
        distinguishable: whether the groups' rates can be told from equal ones at all.
        message: all of this as a sentence for people, with counts.
    """

    error: str
    group: str | None
    rate: Rate | None
    distinguishable: bool
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rate = None if self.rate is None else self.rate.to_dict()
        return {"error": self.error, "group": self.group, "rate": rate, "distinguishable": self.distinguishable,
                "message": self.message}  # fmt: skip


def worst_group(result: GroupingResult, error: str) -> WorstGroup:
    """The group of ``result`` that is worst by ``error``, among those with enough subjects.

    Raises:
        ConfigError: another type of error than ``fnmr`` or ``fmr``.

    >>> import numpy as np
    >>> from fairface.scoring import fairness
    >>> subjects = np.repeat(np.arange(80), 10)[:, None] + np.array([0, 0])  # genuine comparisons, ten of each person
    >>> subjects = np.concatenate([subjects, subjects + [0, 1]])  # and impostors: everybody with the next person
    >>> same, old = subjects[:, 0] == subjects[:, 1], subjects >= 40
    >>> scores = np.where(same, 0.8, 0.2) - 0.7 * (same & old[:, 0] & (np.arange(len(same)) % 4 == 0))
    >>> result = fairness.evaluate(scores, same, {"age": np.where(old, "old", "young")}, subjects, threshold=0.5)
    >>> worst = fairness.worst_group(result.groupings["age"], "fnmr")
    >>> worst.group, worst.rate.value, worst.distinguishable
    ('old', 0.25, True)
    """
    if error not in ERROR_TYPES:
        raise ConfigError(f"type of error {error!r} is not known; choose {' or '.join(ERROR_TYPES)}")
    scalar = result.scalars[f"{error}_gap"]
    rates = {row.group: _rate(row, error) for row in result.rows}
    if len(scalar.groups) < 2:
        counts = ", ".join(f"{group}: {rate.subjects}" for group, rate in rates.items()) or "there are no groups"
        return WorstGroup(error, None, None, False, f"no worst {error.upper()}: {scalar.reason} ({counts})")
    name = max(scalar.groups, key=lambda group: rates[group].value)
    rate = rates[name]
    if rate.errors == 0:
        compared = ", ".join(f"{group}: 0 of {rates[group].comparisons}" for group in scalar.groups)
        return WorstGroup(error, None, None, False, f"no worst {error.upper()}: no group has an error ({compared})")
    apart = scalar.low > 0
    doubt = "" if apart else "; the groups' rates are not distinguishable from equal rates"
    return WorstGroup(error, name, rate, apart, (
        f"worst {error.upper()}: {name} with {rate.value:.4g} [{rate.low:.4g}, {rate.high:.4g}] "
        f"({rate.errors} of {quantity(rate.comparisons, 'comparison')} of {quantity(rate.subjects, 'subject')}){doubt}"
    ))  # fmt: skip


def _rate(row: Any, error: str) -> Rate:
    rate: Rate = getattr(row, error)
    return rate
