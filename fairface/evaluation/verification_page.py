"""The page of verified sets: one alone, several, or unmasked and masked faces side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fairface.evaluation.side_by_side import SideBySide
from fairface.evaluation.verified import VerifiedSet
from fairface.report.page.card import Provenance, data_panel, provenance_panel
from fairface.report.page.curves import curve_panel
from fairface.report.page.group_table import controls, group_panel, slider_data
from fairface.report.page.histograms import histogram_panel
from fairface.report.page.panel import Page, Panel, Table, key_of
from fairface.report.page.verdict import verification_verdict
from fairface.report.side_by_side_table import HEADER, side_by_side_rows
from fairface.report.verification_table import verification_notes, verification_rows
from fairface.scoring.fairness.score_summary import SETS, ScoreSummary, summarise_sets
from fairface.scoring.roc import threshold_at_fmr
from fairface.scoring.verification import VerificationResult


def verification_page(
    found: Mapping[str, VerifiedSet],
    provenance: Provenance,
    level: float,
    both: SideBySide | None = None,
    notes: Sequence[str] = (),
    further: Sequence[Panel] = (),
    one_scale: bool = True,
) -> Page:
    """The page of the sets ``found`` by name.

    Args:
        level: of the intervals over subjects at each threshold.
        both: the first set beside the second, which is masked.
        notes: remarks.
        further: panels of one's own.
        one_scale: whether the scores of all sets are on one scale, so that one threshold for all means something;
            else there is no slider.
    """
    name, first = next(iter(found.items()))
    listed = {of: (one.scored.scores[0], one.scored.comparisons) for of, one in found.items() if one.scored is not None}
    summary = summarise_sets(listed, evaluated_threshold(first), level) if listed else None
    notes = list(notes)
    if len(listed) < len(found):
        rest = ", ".join(of for of in found if of not in listed)
        notes.append(f"{rest}: too many comparisons for a list, so there are no curves, histograms or slider")
    panels = [_results(found), *([_beside(both)] if both else [])]
    panels += _threshold_panels(summary, first, one_scale) if summary else []
    panels += further
    panels += [
        data_panel(of, key_of("data", place, one), f"Data of {one}")
        for place, (one, (_, of)) in enumerate(listed.items())
    ]
    return Page(
        title=f"Verification: {', '.join(found)}",
        verdict=(*verification_verdict(name, first.result), *([_masked_verdict(both)] if both else [])),
        panels=(*panels, provenance_panel(provenance)),
        notes=tuple(notes),
        controls=controls(summary.tables[SETS]) if summary and one_scale else None,
        data=slider_data(summary.tables.values()) if summary and one_scale else None,
    )


def evaluated_threshold(of: VerifiedSet) -> float:
    """The score with the best accuracy; where that is undefined, the one at the lowest FMR that the set can show."""
    if not math.isnan(of.result.threshold):
        return of.result.threshold
    return threshold_at_fmr(of.curve, max(1.0 / of.curve.impostor, 0.001))


def _threshold_panels(summary: ScoreSummary, first: VerifiedSet, one_scale: bool) -> list[Panel]:
    table, threshold = summary.tables[SETS], evaluated_threshold(first)
    curves = curve_panel(table, "curves", "ROC and DET", one_scale)
    scores = histogram_panel(summary.histograms[SETS], threshold if one_scale else None, "scores", "Scores")
    if not one_scale:
        return [curves, scores]
    sets = "the sets" if len(table.groups) > 1 else "the comparisons"
    rates = group_panel(table, 0, "rates", f"Error rates of {sets}", "set")
    how = "the lowest FMR from 0.001 on that the first set can show"
    how = how if math.isnan(first.result.threshold) else "the best accuracy on the first set"
    told = f"The evaluated threshold is the one with {how}."
    return [replace(rates, lines=(*rates.lines, told)), curves, scores]


def _results(found: Mapping[str, VerifiedSet]) -> Panel:
    rows: dict[tuple[str, ...], VerificationResult] = {
        (row,): result for name, of in found.items() for row, result in of.rows(name).items()
    }
    header, cells = verification_rows(rows, ("set",))
    table = Table("Verification", tuple(header), tuple(tuple(row) for row in cells))
    return Panel("verification", "Verification", tuple(verification_notes(rows)), tables=(table,))


def _beside(both: SideBySide) -> Panel:
    drawn = both.difference.drawn if both.difference else ""
    cells, notes = side_by_side_rows(both.names, both.rows, drawn)
    table = Table("Unmasked and masked faces", HEADER, tuple(tuple(row) for row in cells))
    return Panel("masked", "Unmasked and masked faces", (*both.notes, *notes), tables=(table,))


def _masked_verdict(both: SideBySide) -> str:
    cells, _ = side_by_side_rows(both.names, both.rows, "")
    told = {row.key: cell for row, cell in zip(both.rows, cells, strict=True)}
    _, unmasked, masked, difference = told["auc"]
    return f"With masks AUC goes from {unmasked} to {masked}, a difference of {difference}."
