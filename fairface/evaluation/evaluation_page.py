"""The page of an evaluation: what ``do.sh`` writes beside its text report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.fairness_page import page_of_fairness
from fairface.evaluation.judged import ALL_STEPS, JudgedPairs
from fairface.evaluation.report import EvaluationReport
from fairface.evaluation.sections import evaluation_sections
from fairface.evaluation.verification_page import verification_page
from fairface.evaluation.verified import VerifiedSet
from fairface.report.page.card import Provenance
from fairface.report.page.fairness_page import section_panel
from fairface.report.page.panel import Page, Panel, key_of
from fairface.scoring.fairness.grouped import select
from fairface.scoring.roc import roc_curve


def evaluation_page(report: EvaluationReport, judged: JudgedPairs, command: str) -> Page | None:
    """The page of ``report`` on the scores after all steps; None where there is no truth.

    Args:
        judged: the pairs that the report's assessment is about.
        command: that made them.
    """
    found, facts = report.assessment, report.facts
    if found is None:
        return None
    scores = judged.scores[ALL_STEPS]
    finite = np.isfinite(scores)
    scored = ScoredPairs(select(judged.comparisons, finite), (scores[finite],))
    sources = {"pairs": facts.source, "three-step model": facts.three_step, "hard-sample model": facts.hard}
    made_by = Provenance(command, {name: told for name, told in sources.items() if told})
    panels = _panels(report)
    if found.fairness is not None:
        page = page_of_fairness(found.fairness, scored, found.options.protected, made_by, further=panels)
        return replace(page, title=f"Evaluation of {facts.three_step}")
    result = VerifiedSet(
        found.verification[ALL_STEPS], roc_curve(scored.scores[0], scored.comparisons.same), scored=scored
    )
    page = verification_page(
        {ALL_STEPS: result}, made_by, found.options.fairness.level, notes=found.notes, further=panels
    )
    return replace(page, title=f"Evaluation of {facts.three_step}")


def _panels(report: EvaluationReport) -> Sequence[Panel]:
    """The sections of the text report that are not about groups."""
    sections = evaluation_sections(report.facts, report.assessment, brief=True)
    return [section_panel(one, key_of("evaluation", place, one.title)) for place, one in enumerate(sections)]
