"""A fairness score as tables with headings: what the text and the Markdown report both print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fairface.quantity import agree, quantity
from fairface.report.fairness_measures import NULL, measure_sections, scalar_cells
from fairface.report.fairness_numbers import MISSING, interval_text, number_text, rate_text, times_text
from fairface.report.section import Section
from fairface.scoring.fairness.challenge import ChallengeResult
from fairface.scoring.fairness.difference import Change, Difference
from fairface.scoring.fairness.rate import Planning, Rate
from fairface.scoring.fairness.result import FairnessResult, GroupingResult, GroupRow
from fairface.scoring.fairness.worst import ERROR_TYPES, worst_group

MODEL_BEFORE = "the model before"


def fairness_sections(
    result: FairnessResult,
    challenge: Mapping[str, ChallengeResult] | None = None,
    changes: Mapping[str, Change] | None = None,
    before: str = MODEL_BEFORE,
) -> list[Section]:
    """Everything about one score; ``challenge`` and ``changes`` (against what ``before`` names) where there are any."""
    sections = [_head(result)]
    for grouping in result.groupings.values():
        sections += [_groups(grouping), _differentials(grouping), _matrix(grouping)]
        sections += [*measure_sections(grouping, result.threshold), _planning(grouping)]
        if changes and grouping.name in changes:
            sections.append(changes_section(changes[grouping.name], before))
    if challenge:
        sections.append(_challenge(challenge))
    return sections


def _head(result: FairnessResult) -> Section:
    options = result.options
    subjects = f"{quantity(result.subjects, 'subject')}, " if result.subjects else ""
    lines = [
        f"threshold {result.threshold.value:.6g}, set by: {result.threshold.how}",
        f"{subjects}{result.fnmr.comparisons} genuine and {quantity(result.fmr.comparisons, 'impostor comparison')} "
        "with a score",
        f"all together: FNMR {rate_text(result.fnmr)}, FMR {rate_text(result.fmr)}",
        f"[low, high]: {options.level:.0%} confidence intervals over subjects, each for itself; measures use groups "
        f"with {quantity(options.min_subjects, 'subject')} or more; "
        f"{quantity(options.rounds, 'bootstrap resample')} and "
        f"{agree(options.rounds, 'permutation', 'permutations')}",
    ]
    if result.duplicates:
        lines.append(
            quantity(
                result.duplicates,
                "comparison repeats an earlier one; it is counted again",
                "comparisons repeat an earlier one; they are counted again",
            )
        )
    return Section("Fairness", lines=[*lines, *result.notes])


def _groups(grouping: GroupingResult) -> Section:
    told = any(row.failures is not None for row in grouping.rows)
    header = ("group", "subjects", "images", "genuine", "impostor", "FNMR", "FMR", "AUC")
    rows = [
        [
            row.group, str(row.subjects or MISSING), str(row.images),
            str(row.fnmr.comparisons), str(row.fmr.comparisons),
            rate_text(row.fnmr), rate_text(row.fmr), number_text(row.auc),
            *([rate_text(row.failures)] if row.failures is not None else []),
            "too few" if row.too_few else "",
        ]
        for row in grouping.rows
    ]  # fmt: skip
    lines = [worst_group(grouping, error).message for error in ERROR_TYPES]
    lines += _reasons(grouping.rows)
    counts = grouping.accounting
    lines.append(
        f"{quantity(counts.total, 'comparison')} = {counts.genuine_within + counts.impostor_within} within groups + "
        f"{counts.genuine_between + counts.impostor_between} between groups + "
        f"{counts.genuine_unknown + counts.impostor_unknown} of unknown group + {counts.unscored} without a score"
    )
    lines += grouping.notes
    return Section(
        f"Groups by {grouping.name}", (*header, *(["failure to acquire"] if told else []), "note"), rows, lines
    )


def _reasons(rows: Sequence[GroupRow]) -> list[str]:
    found = [
        f"{row.group}: {name} {MISSING}: {rate.reason}"
        for row in rows
        for name, rate in (("FNMR", row.fnmr), ("FMR", row.fmr))
        if rate.reason
    ]
    return found + [f"{row.group}: AUC {MISSING}: {row.auc_reason}" for row in rows if row.auc_reason]


def _differentials(grouping: GroupingResult) -> Section:
    rows, lines = [], []
    for row in grouping.rows:
        for kind, found in (("mated", row.mated), ("non-mated", row.non_mated)):
            if found is None:
                continue
            cells = [number_text(found.mean), number_text(found.value), interval_text(found.low, found.high)]
            rows.append([row.group, kind, *cells])
            if found.reason:
                lines.append(f"{row.group}, {kind}: {found.reason}")
    lines.append("differential: mean score less that of all other groups, in standard deviations within groups")
    header = ("group", "comparisons", "mean score", "differential", "interval")
    return Section(f"Comparison score differentials by {grouping.name}", header, rows, lines)


def _matrix(grouping: GroupingResult) -> Section:
    labels = [row.group for row in grouping.rows]
    rows = [
        [label, *(rate_text(rate) if rate.comparisons else "-" for rate in line)]
        for label, line in zip(labels, grouping.fmr_matrix, strict=True)
    ]
    return Section(f"FMR between groups by {grouping.name}", ("", *labels), rows)


def _planning(grouping: GroupingResult) -> Section:
    header = ("group", "rate", "of all others", "smallest detectable difference", "subjects", "target", "needed")
    rows, lines = [], []
    for row in grouping.rows:
        for name, rate, plan in (("FNMR", row.fnmr, row.fnmr_plan), ("FMR", row.fmr, row.fmr_plan)):
            rows.append([row.group, name, *_plan_cells(rate, plan)])
            if plan.reason and math.isnan(plan.subjects_needed):
                lines.append(f"{row.group}: {name} {MISSING}: {plan.reason}")
    power = next((row.fnmr_plan.power for row in grouping.rows), 0.8)
    lines = list(dict.fromkeys(lines))
    lines.append(
        f"a smallest detectable difference is found with a power of {power:.0%}; targets are the observed "
        "differences unless they were set"
    )
    return Section(f"Statistical power, by {grouping.name}", header, rows, lines)


def _plan_cells(rate: Rate, plan: Planning) -> list[str]:
    needs = MISSING
    if math.isinf(plan.times_all):
        needs = "cannot be detected"
    elif math.isinf(plan.subjects_needed):
        needs = f"{times_text(plan.times_all)} times as many in all groups"
    elif not math.isnan(plan.subjects_needed):
        more = max(0, int(plan.subjects_needed) - rate.subjects)
        needs = f"{quantity(int(plan.subjects_needed), 'subject')} ({more} more)"
    detectable = "none" if plan.detectable >= 1 else number_text(plan.detectable)
    cells = [number_text(plan.others), detectable, str(rate.subjects or MISSING)]
    return [*cells, number_text(plan.target), needs]


def _challenge(challenge: Mapping[str, ChallengeResult]) -> Section:
    header = ("measure", "value", "interval", "best", NULL, "p-value", "alpha", "cells", "note")
    rows, lines = [], []
    for name, found in challenge.items():
        used = int((~(found.areas != found.areas)).sum())
        rows.append([name, *scalar_cells(found.scalar), f"{used} of {found.areas.size}", found.scalar.note])
        if found.scalar.reason:
            lines.append(f"{name} {MISSING}: {found.scalar.reason}")
        lines.append(
            f"{name}: {quantity(found.omitted, 'comparison is', 'comparisons are')} in cells that are too small, "
            f"{found.outside} {agree(found.outside, 'is', 'are')} between groups or have an unknown attribute"
        )
    return Section("The challenge's measure", header, rows, lines)


def changes_section(change: Change, before: str = MODEL_BEFORE) -> Section:
    """Before, after, difference and verdict of every number."""
    rows = []
    for name, found in (("FNMR", change.fnmr), ("FMR", change.fmr)):
        rows += [_difference_row(f"{name} of {group}", difference) for group, difference in found.items()]
    missing: dict[str, list[str]] = {}
    for name, difference in change.scalars.items():
        if difference.reason and math.isnan(difference.value):
            missing.setdefault(difference.reason, []).append(name)
        else:
            rows.append(_difference_row(name, difference))
    lines = [f"{', '.join(names)} {MISSING}: {reason}" for reason, names in missing.items()]
    if change.counts is not None:
        lines.insert(0, str(change.counts))
    lines += change.notes
    header = ("number", "before", "after", "difference", "interval", "verdict", "reason")
    return Section(f"Compared with {before}, by {change.name}", header, rows, lines)


def _difference_row(name: str, found: Difference) -> list[str]:
    numbers = [number_text(value) for value in (found.before, found.after, found.value)]
    return [name, *numbers, interval_text(found.low, found.high), found.verdict, found.reason]
