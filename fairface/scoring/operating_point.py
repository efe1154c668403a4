"""A threshold, and what it costs on the set of comparisons that it was set on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.quantity import agree, quantity

OVER_SUBJECTS, OVER_COMPARISONS = "subjects", "comparisons"


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and its error rates; a comparison matches when its score is at or above ``threshold``.

    Attributes:
        target: the FMR that the threshold was set for.
        threshold: the lowest score with an FMR of no more than ``target``.
        fmr: the FMR at the threshold: ``false_matches`` of ``impostor`` comparisons.
        low, high: confidence interval of the FMR at ``level``.
        over: what the interval is over: ``subjects``, or ``comparisons`` (as if all were independent: too narrow) where
            subjects are not named or are too few.
        fnmr: share of the ``genuine`` comparisons below the threshold.
    """

    target: float
    threshold: float
    fmr: float
    low: float
    high: float
    level: float
    over: str
    false_matches: int
    impostor: int
    fnmr: float
    genuine: int

    def __str__(self) -> str:
        return (
            f"{self.false_matches} of {quantity(self.impostor, 'impostor comparison')} "
            f"{agree(self.false_matches, 'reaches', 'reach')} {self.threshold:.4f}: FMR {self.fmr:.2g} "
            f"({self.level:.0%} confidence interval over {self.over} {self.low:.2g} to {self.high:.2g})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))
