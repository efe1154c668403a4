"""The stages of a finetuning as points: accuracy against the gap between groups. No MXNet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairface.scoring.fairness.difference import Change, Difference
from fairface.scoring.fairness.pareto import pareto_front
from fairface.scoring.fairness.rate import Rate
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.worst import ERROR_TYPES, WorstGroup, worst_group
from fairface.scoring.measure import number
from fairface.scoring.verification import VerificationResult, fmr_key


@dataclass(frozen=True)
class StagePoint:
    """One stage.

    Attributes:
        stage: its name.
        accuracy: NaN where undefined.
        gap, low, high: between groups, with its interval over subjects; NaN with a ``reason`` where undefined.
        worst: the group with the highest rate.
        rates: of each group, also of those with too few subjects for the gap.
        change: of the gap, from the first stage; ``None`` for that one.
        best: no other stage is better in one of accuracy and gap and at least as good in the other.
    """

    stage: str
    accuracy: float
    gap: float
    low: float
    high: float
    reason: str
    worst: WorstGroup
    rates: Mapping[str, Rate]
    change: Difference | None
    best: bool

    @property
    def is_drawn(self) -> bool:
        """Whether accuracy and gap are both defined."""
        return math.isfinite(self.accuracy) and math.isfinite(self.gap)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "stage": self.stage, "accuracy": number(self.accuracy), "gap": number(self.gap),
            "low": number(self.low), "high": number(self.high), "reason": self.reason, "worst": self.worst.to_dict(),
            "groups": {group: rate.to_dict() for group, rate in self.rates.items()},
            "change": self.change.to_dict() if self.change else None, "best": self.best,
        }  # fmt: skip


@dataclass(frozen=True)
class StagePoints:
    """All stages by one ``grouping`` and one type of ``error``; ``accuracy`` names what is drawn against the gap."""

    grouping: str
    error: str
    accuracy: str
    points: tuple[StagePoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"by": self.grouping, "error": self.error, "accuracy": self.accuracy,
                "stages": [point.to_dict() for point in self.points]}  # fmt: skip


def stage_points(
    verified: Mapping[str, VerificationResult], fairness: Mapping[str, FairnessResult],
    changes: Mapping[str, Mapping[str, Change]], fmr: float,
) -> list[StagePoints]:  # fmt: skip
    """Points by each grouping and type of error, from the results of each stage by its name.

    The accuracy is the TAR at ``fmr``, measured on the pairs themselves; the AUC where no stage has that TAR.
    """
    if not fairness:
        return []
    accuracy, accuracies = _accuracy(verified, fmr)
    found = []
    for grouping in next(iter(fairness.values())).groupings:
        for error in ERROR_TYPES:
            gaps = {name: of.groupings[grouping].scalars[f"{error}_gap"] for name, of in fairness.items()}
            aims = [np.array([float(of[name]) for name in fairness]) for of in
                    (accuracies, {name: -gap.value for name, gap in gaps.items()})]  # fmt: skip
            best = pareto_front(aims[0], aims[1])
            points = []
            for place, (name, gap) in enumerate(gaps.items()):
                of, change = fairness[name].groupings[grouping], changes[name].get(grouping)
                rates = {row.group: row.fnmr if error == "fnmr" else row.fmr for row in of.rows}
                points.append(StagePoint(
                    name, accuracies[name], gap.value, gap.low, gap.high, gap.reason, worst_group(of, error), rates,
                    change.scalars[f"{error}_gap"] if change else None, bool(best[place]),
                ))  # fmt: skip
            found.append(StagePoints(grouping, error, accuracy, tuple(points)))
    return found


def _accuracy(verified: Mapping[str, VerificationResult], fmr: float) -> tuple[str, dict[str, float]]:
    """What it is called, and its values."""
    tar = {name: of.tar[fmr_key(fmr)] for name, of in verified.items()}
    if any(math.isfinite(value) for value in tar.values()):
        return f"TAR at FMR {fmr:g}", tar
    return "AUC", {name: of.auc for name, of in verified.items()}
