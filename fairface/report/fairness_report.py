"""All that was worked out about one model's fairness, as text, Markdown, or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fairface.report.fairness_sections import fairness_sections
from fairface.report.fairness_text import as_markdown, as_text
from fairface.report.fairness_verdict import fairness_verdict
from fairface.report.section import Section
from fairface.scoring.fairness.challenge import ChallengeResult
from fairface.scoring.fairness.curves import GroupCurve
from fairface.scoring.fairness.difference import Change
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.scalars import Scalar
from fairface.scoring.fairness.worst import ERROR_TYPES, worst_group


@dataclass(frozen=True)
class FairnessReport:
    """A fairness score and what goes with it.

    Attributes:
        result: the score.
        challenge: the challenge's measure, by kind of comparisons; empty where it was not asked for.
        changes: against the model before, by grouping.
        curves: of the groups by all protected attributes together.
        unusable: why no number here means anything, as sentences; said first.
        notes: other remarks.
    """

    result: FairnessResult
    challenge: Mapping[str, ChallengeResult] = field(default_factory=dict)
    changes: Mapping[str, Change] = field(default_factory=dict)
    curves: tuple[GroupCurve, ...] = ()
    unusable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def measures(self) -> dict[str, Mapping[str, Scalar]]:
        """The scalars of each grouping (and of the challenge), for conditions on them."""
        found: dict[str, Mapping[str, Scalar]] = {
            name: grouping.scalars for name, grouping in self.result.groupings.items()
        }
        if self.challenge:
            found["challenge"] = {name: one.scalar for name, one in self.challenge.items()}
        return found

    @property
    def verdict(self) -> tuple[str, ...]:
        """In a few sentences; of numbers that mean nothing there is none."""
        return () if self.unusable else tuple(fairness_verdict(self.result))

    def _sections(self) -> list[Section]:
        first = [Section("These results are invalid", lines=list(self.unusable))] if self.unusable else []
        head, *others = fairness_sections(self.result, self.challenge, self.changes)
        return [*first, replace(head, lines=[*self.verdict, *head.lines, *self.notes]), *others]

    def text(self) -> str:
        """For a terminal."""
        return as_text(self._sections())

    def markdown(self) -> str:
        """For a report."""
        return as_markdown(self._sections())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        groupings = self.result.groupings.items()
        return {
            "unusable": list(self.unusable),
            **self.result.to_dict(),
            "notes": [*self.result.notes, *self.notes],
            "worst": {
                name: {error: worst_group(found, error).to_dict() for error in ERROR_TYPES} for name, found in groupings
            },
            "challenge": {name: one.to_dict() for name, one in self.challenge.items()},
            "against": {name: change.to_dict() for name, change in self.changes.items()},
            "curves": [curve.to_dict() for curve in self.curves],
        }
