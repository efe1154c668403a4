"""The page of a fairness score, made of the comparisons that it is about."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.errors import ConfigError
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.shown_faces import worst_faces
from fairface.report.fairness_report import FairnessReport
from fairface.report.fairness_sections import MODEL_BEFORE
from fairface.report.page.card import Provenance
from fairface.report.page.face_pairs import face_panels
from fairface.report.page.fairness_page import fairness_page
from fairface.report.page.panel import Page, Panel
from fairface.scoring.fairness.score_summary import summarise_scores


def page_of_fairness(
    report: FairnessReport,
    scored: ScoredPairs | None,
    protected: Sequence[str],
    made_by: Provenance,
    faces: str = "",
    further: Sequence[Panel] = (),
    before: str = MODEL_BEFORE,
) -> Page:
    """The page of ``report``.

    Args:
        scored: the comparisons and finite scores that the report counts; ``None`` where they are too many for a list.
        protected: the attributes that groups are made by.
        made_by: the command and its sources.
        faces: folder of the images, to show the worst errors; empty: they are not shown.
        further: panels of one's own.
        before: what the report's changes are measured from.

    Raises:
        ConfigError: faces without listed comparisons.
        DataError: see :func:`fairface.evaluation.shown_faces.worst_faces`.
    """
    if scored is None:
        if faces:
            raise ConfigError("--report-faces needs a list of pairs; give --pairs")
        return fairness_page(report, made_by, further=tuple(further), before=before)
    scores, comparisons, result = scored.scores[0], scored.comparisons, report.result
    summary = summarise_scores(scores, comparisons, protected, result.threshold.value, result.options.level)
    panels = list(further)
    if faces:
        panels += face_panels(*worst_faces(scores, comparisons, result.threshold.value, faces))
    return fairness_page(report, made_by, summary, comparisons, tuple(panels), before)
