"""The page of two runs on the same pairs."""

from __future__ import annotations

from dataclasses import replace

from fairface.evaluation.compared_runs import UNJUDGED, UNKNOWN, ComparedRuns, as_rows, verdict
from fairface.evaluation.stages import stage_panels
from fairface.evaluation.verification_page import verification_page
from fairface.report.fairness_sections import changes_section
from fairface.report.page.card import Provenance
from fairface.report.page.fairness_page import section_panel
from fairface.report.page.panel import Page, Panel, Table, key_of


def compared_page(found: ComparedRuns, made_by: Provenance, level: float) -> Page:
    """Both runs: their differences first, then curves and histograms of both. Scores of two models may differ in
    scale, so the slider's one threshold for both is left out."""
    header, rows = as_rows(found)
    drawn = found.beside.difference.drawn if found.beside.difference else ""
    lines = (f"[low, high]: {level:.0%} confidence intervals of second minus first, drawing {drawn}.",) if drawn else ()
    measures = Table("Measures of both runs", header, tuple(tuple(row) for row in rows))
    panels = [Panel("differences", "Differences", lines, tables=(measures,))]
    panels += [
        section_panel(replace(changes_section(change), title=f"Error rates by {name}"), key_of("groups", place, name))
        for place, (name, change) in enumerate(found.changes.items())
    ]
    sets = dict(zip(found.names, found.verified, strict=True))
    if found.stages:
        panels += stage_panels(found.stages, found.threshold_fmr)
    page = verification_page(sets, made_by, level, notes=found.notes, one_scale=False)
    title = f"{found.names[0]} and {found.names[1]}"
    return replace(page, title=title, verdict=_verdict(found), panels=(*panels, *page.panels))


def _verdict(found: ComparedRuns) -> tuple[str, ...]:
    told = [
        f"{name} {row[1]} and {row[2]}, a difference of {row[3]}: the second is {verdict(of)}"
        for of, row in zip(found.beside.rows, as_rows(found)[1], strict=True)
        if (name := row[0]) in ("AUC", "EER")
    ]
    named = f"The first run is {found.names[0]}, the second {found.names[1]}."
    sentence = f"{'; '.join(told)}.".replace(f"is {UNKNOWN}", "cannot be told from the first")
    return named, sentence.replace(f"is {UNJUDGED}:", f"is {UNJUDGED},")
