"""The report of the evaluation: what was done, with which models, what came out, and what it cannot show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.evaluation.assessment import Assessment
from fairface.evaluation.facts import RunFacts
from fairface.evaluation.finetuning_stages import FinetuningStages
from fairface.evaluation.limits import what_cannot_be_shown
from fairface.evaluation.sections import RATES, evaluation_sections
from fairface.report.fairness_report import FairnessReport
from fairface.report.fairness_text import as_markdown, as_text


@dataclass(frozen=True)
class EvaluationReport:
    """``assessment`` is None where no truth was given: predictions only. ``stages`` is None where none are compared."""

    facts: RunFacts
    assessment: Assessment | None = None
    stages: FinetuningStages | None = None

    def markdown(self) -> str:
        """``report.md``."""
        return as_markdown(evaluation_sections(self.facts, self.assessment, stages=self.stages))

    def text(self) -> str:
        """For a terminal: of the many tables about groups only those of their error rates."""
        return as_text(evaluation_sections(self.facts, self.assessment, RATES, self.stages))

    def to_dict(self) -> dict[str, Any]:
        """``fairness.json``: plain values; what was not asked for or cannot be given is None, with a reason."""
        found = self.assessment
        result: dict[str, Any] = self.facts.to_dict()
        if found is None:
            return {**result, "verification": None, "fairness": None, "stages": None, "reason": "no truth was given"}
        result["verification"] = {name: of.to_dict() for name, of in found.verification.items()}
        result["fairness"] = _dict(found.fairness)
        result["fairness_without_failures"] = _dict(found.without_failures)
        result["without_failures_reason"] = found.without_reason
        result["stages"] = self.stages.to_dict() if self.stages else None
        result["assessment_notes"] = list(found.notes)
        result["cannot_show"] = what_cannot_be_shown(found)
        return result


def _dict(report: FairnessReport | None) -> dict[str, Any] | None:
    return None if report is None else report.to_dict()
