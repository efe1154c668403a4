"""The stages of a finetuning as tables with headings, and as panels of the page with the same tables."""

from __future__ import annotations

from dataclasses import replace

from fairface.evaluation.finetuning_stages import FinetuningStages
from fairface.evaluation.stage_points import StagePoint, StagePoints
from fairface.report.fairness_numbers import MISSING, interval_text, number_text, rate_text
from fairface.report.page.fairness_page import section_panel
from fairface.report.page.panel import Panel, Table, key_of
from fairface.report.page.pareto import Stage, pareto_panel
from fairface.report.section import Section
from fairface.report.verification_table import verification_notes, verification_rows
from fairface.scoring.verification import VerificationResult

TITLE = "Stages of the finetuning"
MOST_GROUPS = 4  # whose rates stand in columns of their own


def stage_sections(found: FinetuningStages) -> list[Section]:
    """Accuracy of each stage; then, for each grouping and type of error, rates of groups and gap of each."""
    return [_accuracy(found), *(_section(found, points) for points in found.points())]


def stage_panels(found: FinetuningStages) -> list[Panel]:
    """The same, each gap with its figure where any stage has one."""
    panels = [section_panel(_accuracy(found), "stages")]
    for points in found.points():
        section = _section(found, points)
        stages = [Stage(of.stage, of.accuracy, of.gap, of.low, of.high) for of in points.points]
        key, gap = key_of("stages", points.grouping, points.error), f"gap in {points.error.upper()}"
        drawn = pareto_panel(stages, points.accuracy, gap, key)
        rows = tuple(map(tuple, section.rows))
        panels.append(replace(
            drawn, title=section.title, lines=(*drawn.lines, *section.lines),
            tables=(Table(section.title, section.header, rows),),
        ))  # fmt: skip
    return panels


def _accuracy(found: FinetuningStages) -> Section:
    results: dict[tuple[str, ...], VerificationResult] = {
        (stage.name, stage.checkpoint): stage.verification for stage in found.stages if stage.verification is not None
    }
    header, rows = verification_rows(results, ("stage", "checkpoint"), accuracy=False)
    lines = [
        "the same pairs for each stage, plain cosines: no re-ranking, gap cut or fusion",
        f"for groups each stage has a threshold of its own, set at FMR {found.options.fmr:g} on {found.set_on}; a TAR "
        "is that at an FMR of these pairs themselves",
    ]
    if found.options.threshold is not None:
        lines.append(
            f"the threshold that was given, {found.options.threshold:g}, is for the scores after all steps; scores of "
            "other models differ in scale, so it is not used here"
        )
    lines += [f"{stage.name}: {stage.reason}" for stage in found.stages if stage.reason]
    return Section(TITLE, tuple(header), rows, [*lines, *verification_notes(results, False)])


def _section(found: FinetuningStages, points: StagePoints) -> Section:
    error, first = points.error.upper(), points.points[0]
    groups = list(first.rates) if len(first.rates) <= MOST_GROUPS else []
    header = (
        "stage", points.accuracy, *(f"{error} of {group}" for group in groups), f"worst {error}", f"gap in {error}",
        "interval of the gap", f"gap less that of {first.stage}", "no other is better in both",
    )  # fmt: skip
    rows = [_row(point, groups) for point in points.points]
    title = f"Stages: accuracy against the gap in {error} by {points.grouping}"
    return Section(title, header, rows, _lines(found, points))


def _row(point: StagePoint, groups: list[str]) -> list[str]:
    worst = point.worst.group or MISSING
    return [
        point.stage, number_text(point.accuracy), *(rate_text(point.rates[group]) for group in groups), worst,
        number_text(point.gap), interval_text(point.low, point.high), _change(point),
        "yes" if point.best else "no" if point.is_drawn else MISSING,
    ]  # fmt: skip


def _change(point: StagePoint) -> str:
    change = point.change
    if change is None:
        return ""
    interval = interval_text(change.low, change.high)
    return f"{number_text(change.value)} {interval}: {change.verdict}" if interval != MISSING else MISSING


def _lines(found: FinetuningStages, points: StagePoints) -> list[str]:
    reasons = dict.fromkeys(point.reason for point in points.points if point.reason)
    lines = [f"gap {MISSING}: {reason}; --min-subjects sets that bound" for reason in reasons]
    level = found.options.fairness.level
    if any(point.is_drawn for point in points.points):
        lines.append(
            f"[low, high]: {level:.0%} confidence intervals over subjects; a gap less that of {points.points[0].stage} "
            "is a paired difference on the same subjects"
        )
    return lines
