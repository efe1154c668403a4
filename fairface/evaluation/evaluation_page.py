"""The page of an evaluation: what ``do.sh`` writes beside its text report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.crops import Crops
from fairface.evaluation.fairness_page import page_of_fairness
from fairface.evaluation.judged import ALL_STEPS, JudgedPairs
from fairface.evaluation.report import EvaluationReport
from fairface.evaluation.sections import NONE, PLAIN, TRANSDUCTION, evaluation_sections
from fairface.evaluation.shown_faces import worst_faces
from fairface.evaluation.stage_sections import stage_panels
from fairface.evaluation.verification_page import evaluated_threshold, verification_page
from fairface.evaluation.verified import VerifiedSet
from fairface.report.page.card import Provenance
from fairface.report.page.face_pairs import face_panels
from fairface.report.page.fairness_page import section_panel
from fairface.report.page.panel import Page, Panel, key_of
from fairface.scoring.fairness.grouped import select
from fairface.scoring.roc import roc_curve


def evaluation_page(
    report: EvaluationReport, judged: JudgedPairs, command: str, crops: Crops | None = None
) -> Page | None:
    """The page of ``report`` on the scores after all steps; None where there is no truth.

    Args:
        judged: the pairs that the report's assessment is about.
        command: that made them.
        crops: their aligned faces, where the worst errors are to be shown.
    """
    found, facts = report.assessment, report.facts
    if found is None:
        return None
    scores = judged.scores[ALL_STEPS]
    finite = np.isfinite(scores)
    scored = ScoredPairs(select(judged.comparisons, finite), (scores[finite],))
    sources = {"pairs": facts.source, "three-step model": facts.three_step, "hard-sample model": facts.hard}
    made_by = Provenance(command, {name: told for name, told in sources.items() if told})
    result = VerifiedSet(
        found.verification[ALL_STEPS], roc_curve(scored.scores[0], scored.comparisons.same), scored=scored
    )
    threshold = found.fairness.result.threshold.value if found.fairness else evaluated_threshold(result)
    stages = stage_panels(report.stages) if report.stages else []
    panels = [*stages, *_panels(report), *(_faces(scored, crops, threshold) if crops is not None else [])]
    if found.fairness is not None:
        page = page_of_fairness(found.fairness, scored, found.options.protected, made_by, further=panels, before=PLAIN)
    else:
        page = verification_page(
            {ALL_STEPS: result}, made_by, found.options.fairness.level, notes=found.notes, further=panels
        )
    # The page begins with rates that hold for this list alone, so what follows the verdict says that first.
    kind = (f"scores are {TRANSDUCTION}",) if facts.transductive else ()
    return replace(page, title=f"Evaluation of {facts.three_step}", notes=(*kind, *page.notes))


def _faces(scored: ScoredPairs, crops: Crops, threshold: float) -> Sequence[Panel]:
    """The worst errors at the threshold of the page, from the aligned faces."""
    named = replace(scored.comparisons, names=crops.files)
    return face_panels(*worst_faces(scored.scores[0], named, threshold, crops.root))


def _panels(report: EvaluationReport) -> Sequence[Panel]:
    """The sections of the text report that are not about groups."""
    sections = evaluation_sections(report.facts, report.assessment, NONE)
    return [section_panel(one, key_of("evaluation", place, one.title)) for place, one in enumerate(sections)]
