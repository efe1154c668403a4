"""The page of a fairness score."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.comparisons import Comparisons
from fairface.report.fairness_numbers import MISSING
from fairface.report.fairness_report import FairnessReport
from fairface.report.fairness_sections import MODEL_BEFORE, fairness_sections
from fairface.report.page.card import Provenance, data_panel, provenance_panel
from fairface.report.page.curves import curve_panel
from fairface.report.page.group_table import controls, group_panel, slider_data
from fairface.report.page.heat_map import heat_map_panel
from fairface.report.page.histograms import histogram_panel
from fairface.report.page.panel import Page, Panel, Table, key_of
from fairface.report.section import Section
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.score_summary import EVERYONE, ScoreSummary

_SHOWN_OTHERWISE = ("Fairness", "FMR between")
_GROUPS = "Groups by"


def fairness_page(
    report: FairnessReport,
    provenance: Provenance,
    summary: ScoreSummary | None = None,
    comparisons: Comparisons | None = None,
    further: tuple[Panel, ...] = (),
    before: str = MODEL_BEFORE,
) -> Page:
    """The page of ``report``.

    Args:
        report: what JSON and Markdown are made of as well.
        provenance: of the numbers.
        summary: of the same scores at the same threshold; without it there are no curves and no slider.
        comparisons: for the data card.
        further: panels of one's own, before the measures.
        before: what the report's changes are measured from.
    """
    result = report.result
    head, *sections = fairness_sections(result, report.challenge, report.changes, before)
    panels = list(_threshold_panels(report, summary)) if summary else []
    panels += _tables([section for section in sections if section.title.startswith(_GROUPS)], "groups")
    panels += [
        heat_map_panel(of, key_of("fmr-between", place, name), f"FMR between groups by {name}")
        for place, (name, of) in enumerate(result.groupings.items())
    ]
    panels += [*further, *_tables([section for section in sections if not section.title.startswith(_GROUPS)], "table")]
    panels += [data_panel(comparisons)] if comparisons is not None else []
    notes = [*head.lines, *report.notes]
    if summary is None:
        notes.append("there are too many comparisons for a list, so there are no curves, histograms or slider")
    return Page(
        title=f"Fairness by {', '.join(result.groupings)}",
        verdict=report.verdict,
        panels=(*panels, provenance_panel(provenance)),
        warnings=report.unusable,
        notes=tuple(notes),
        controls=controls(summary.tables[EVERYONE]) if summary else None,
        data=slider_data(summary.tables.values()) if summary else None,
    )


def _threshold_panels(report: FairnessReport, summary: ScoreSummary) -> list[Panel]:
    """What is drawn of the scores: first everybody, then by each grouping."""
    found: list[Panel] = []
    row = 0
    for place, (name, of) in enumerate(summary.tables.items()):
        title = "all comparisons" if name == EVERYONE else f"groups by {name}"
        people = _people(report.result, name)
        found.append(group_panel(of, row, key_of("rates", place, name), f"Error rates of {title}", people=people))
        row += len(of.groups)
        found.append(curve_panel(of, key_of("curves", place, name), f"ROC and DET of {title}"))
        threshold = report.result.threshold.value
        key = key_of("scores", place, name)
        found.append(histogram_panel(summary.histograms[name], threshold, key, f"Scores of {title}"))
    return found


def _people(result: FairnessResult, name: str) -> dict[str, str]:
    """How many people stand behind each row by ``name``; those of groups that are too small to be judged say so."""
    if name == EVERYONE:
        return {EVERYONE: str(result.subjects or MISSING)}
    return {
        row.group: f"{row.subjects or MISSING}{' (too few)' if row.too_few else ''}"
        for row in result.groupings[name].rows
    }


def _tables(sections: Sequence[Section], key: str) -> list[Panel]:
    """The tables of the Markdown report that no panel shows otherwise, with the sentences below them: where comparisons
    were left out, or a group is too small, the page says so as the text does."""
    kept = [section for section in sections if not section.title.startswith(_SHOWN_OTHERWISE)]
    return [section_panel(section, key_of(key, place, section.title)) for place, section in enumerate(kept)]


def section_panel(section: Section, key: str) -> Panel:
    """A section of a text report as a panel."""
    rows = tuple(tuple(row) for row in section.rows)
    tables = (Table(section.title, section.header, rows),) if section.header else ()
    return Panel(key, section.title, tuple(section.lines), tables=tables)
