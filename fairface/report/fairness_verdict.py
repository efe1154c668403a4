"""What a fairness score says in a few sentences: how accurate, and for either error which group is worst, by how much,
and how certain that is. Text, Markdown and page begin with them."""

from __future__ import annotations

import math

from fairface.quantity import quantity
from fairface.report.fairness_numbers import interval_text, number_text, rate_text, times_text
from fairface.scoring.fairness.rate import Planning
from fairface.scoring.fairness.result import FairnessResult, GroupingResult
from fairface.scoring.fairness.worst import ERROR_TYPES, worst_group

_PAIR = 2  # groups: with more, a gap that is sure does not say of which


def fairness_verdict(result: FairnessResult) -> tuple[str, ...]:
    """Sentences about ``result``: one of its accuracy, then two of each grouping, first by every attribute, then by all
    together: an attribute alone can show a difference that its many small groups with others cannot. Two where no
    groups were named."""
    accuracy = (
        f"At threshold {number_text(result.threshold.value)}, {rate_text(result.fmr)} of the comparisons of two people "
        f"match (FMR) and {rate_text(result.fnmr)} of the comparisons of one person do not (FNMR)."
    )
    if not result.groupings:
        return accuracy, "No groups were named, so nothing is said about differences between them."
    groupings = result.groupings.values()
    return accuracy, *(f"By {of.name}: {_gap(of, error)}." for of in groupings for error in reversed(ERROR_TYPES))


def _gap(of: GroupingResult, error: str) -> str:
    worst, scalar, name = worst_group(of, error), of.scalars[f"{error}_gap"], error.upper()
    if worst.group is None or worst.rate is None:
        return worst.message
    enough = "enough data to tell the groups apart"
    if len(scalar.groups) > _PAIR:
        enough = "enough data to tell some of the groups apart"
    if not worst.distinguishable:
        enough = f"not enough data to tell this from no gap{_needed(getattr(of.row(worst.group), f'{error}_plan'))}"
    return (
        f"the worst {name} is that of {worst.group}, {number_text(worst.rate.value)}, with a gap of "
        f"{number_text(scalar.value)} {interval_text(scalar.low, scalar.high)} to the best group: {enough}"
        f"{worst.unjudged_text()}"
    )


def _needed(plan: Planning) -> str:
    if math.isfinite(plan.subjects_needed):
        subjects = quantity(round(plan.subjects_needed), "subject")
        return f" (about {subjects} of that group would tell it from all others together{_chance(plan)})"
    if math.isfinite(plan.times_all):
        times = times_text(plan.times_all)
        about = "" if times.startswith("more") else "about "
        more = f"{about}{times} times as many subjects in all groups"
        return f" ({more} would tell it from all others together{_chance(plan)})"
    return ""


def _chance(plan: Planning) -> str:
    return f", if the difference is as large as it looks, with a chance of {plan.power:.0%}"
