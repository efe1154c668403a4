"""The most discriminated group: computed, not assumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairface.errors import ConfigError
from fairface.quantity import quantity
from fairface.scoring.fairness.rate import Rate
from fairface.scoring.fairness.result import GroupingResult

ERROR_TYPES = ("fnmr", "fmr")
SHOWN = 6  # groups that a sentence names; tables have all of them


@dataclass(frozen=True)
class WorstGroup:
    """The group with the highest rate of one type of error.

    Attributes:
        error: ``fnmr`` (genuine comparisons) or ``fmr`` (impostor comparisons); the two need not name the same group.
        group: ``None`` where no two groups have enough subjects, or none has an error.
        rate: of this group; ``None`` with it.
        distinguishable: whether the groups' rates can be told from equal ones at all.
        message: all of this as a sentence for people, with counts.
        unjudged: groups of too few subjects to be judged whose rate is higher still, the highest first. Whoever hears
            of the worst group must hear of them, too.
    """

    error: str
    group: str | None
    rate: Rate | None
    distinguishable: bool
    message: str
    unjudged: tuple[tuple[str, Rate], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rate = None if self.rate is None else self.rate.to_dict()
        return {"error": self.error, "group": self.group, "rate": rate, "distinguishable": self.distinguishable,
                "message": self.message, "unjudged": [group for group, _ in self.unjudged]}  # fmt: skip

    def unjudged_text(self) -> str:
        """The :attr:`unjudged` groups as the end of a sentence, with their counts; empty where there are none."""
        if not self.unjudged:
            return ""
        told = [f"{group} with {_told(rate)}" for group, rate in self.unjudged[:SHOWN]]
        more = [f"{len(self.unjudged) - SHOWN} more"] if len(self.unjudged) > SHOWN else []
        return f"; higher, but not judged, as too few subjects were compared: {', '.join([*told, *more])}"


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
        counts = _first([f"{group}: {rate.subjects}" for group, rate in rates.items()]) or "there are no groups"
        return WorstGroup(error, None, None, False, f"no worst {error.upper()}: {scalar.reason} ({counts})")
    name = max(scalar.groups, key=lambda group: rates[group].value)
    rate = rates[name]
    higher = [(group, of) for group, of in rates.items() if group not in scalar.groups and of.value > rate.value]
    unjudged = tuple(sorted(higher, key=lambda found: -found[1].value))
    if rate.errors == 0:
        compared = _first([f"{group}: 0 of {rates[group].comparisons}" for group in scalar.groups])
        found = WorstGroup(error, None, None, False, "", unjudged)
        no_group = "no group has an error" if not unjudged else "no group of enough subjects has an error"
        return replace(found, message=f"no worst {error.upper()}: {no_group} ({compared}){found.unjudged_text()}")
    apart = scalar.low > 0
    doubt = "" if apart else "; the groups' rates are not distinguishable from equal rates"
    found = WorstGroup(error, name, rate, apart, "", unjudged)
    return replace(found, message=f"worst {error.upper()}: {name} with {_told(rate)}{doubt}{found.unjudged_text()}")


def _told(rate: Rate) -> str:
    interval = "" if math.isnan(rate.low) else f" [{rate.low:.4g}, {rate.high:.4g}]"
    counts = f"{quantity(rate.comparisons, 'comparison')} of {quantity(rate.subjects, 'subject')}"
    return f"{rate.value:.4g}{interval} ({rate.errors} of {counts})"


def _first(told: Sequence[str]) -> str:
    more = [f"… {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return ", ".join([*told[:SHOWN], *more])


def _rate(row: Any, error: str) -> Rate:
    rate: Rate = getattr(row, error)
    return rate
