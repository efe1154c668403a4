"""The two sentences at the top: how accurate, and which group is worst, by how much, and how certain that is."""

from __future__ import annotations

import math

from fairface.report.fairness_sections import interval_text, number_text, rate_text
from fairface.scoring.fairness.rate import Planning
from fairface.scoring.fairness.result import FairnessResult, GroupingResult
from fairface.scoring.fairness.worst import ERROR_TYPES, worst_group
from fairface.scoring.verification import VerificationResult


def fairness_verdict(result: FairnessResult) -> tuple[str, ...]:
    """Two sentences about ``result``; the groups are those by all protected attributes together."""
    accuracy = (
        f"At threshold {number_text(result.threshold.value)}, {rate_text(result.fmr)} of the comparisons of two people "
        f"match (FMR) and {rate_text(result.fnmr)} of the comparisons of one person do not (FNMR)."
    )
    if not result.groupings:
        return accuracy, "No groups were named, so nothing is said about differences between them."
    last = list(result.groupings.values())[-1]
    parts = "; ".join(_gap(last, error) for error in reversed(ERROR_TYPES))
    return accuracy, f"By {last.name}: {parts}."


def _gap(of: GroupingResult, error: str) -> str:
    worst, scalar, name = worst_group(of, error), of.scalars[f"{error}_gap"], error.upper()
    if worst.group is None or worst.rate is None:
        return worst.message
    enough = "enough data to tell the groups apart"
    if not worst.distinguishable:
        enough = f"not enough data to tell this from no gap{_needed(getattr(of.row(worst.group), f'{error}_plan'))}"
    return (
        f"the worst {name} is that of {worst.group}, {number_text(worst.rate.value)}, with a gap of "
        f"{number_text(scalar.value)} {interval_text(scalar.low, scalar.high)} to the best group: {enough}"
    )


def _needed(plan: Planning) -> str:
    if math.isfinite(plan.subjects_needed):
        return f" (about {plan.subjects_needed:.0f} subjects of that group would show it)"
    if math.isfinite(plan.times_all):
        return f" (about {number_text(plan.times_all)} times as many subjects in all groups would show it)"
    return ""


def verification_verdict(name: str, result: VerificationResult) -> tuple[str, ...]:
    """Two sentences about the set called ``name``."""
    parts = [f"AUC {_measure(result, 'auc', result.auc)}", f"equal error rate {number_text(result.eer)}"]
    if not math.isnan(result.accuracy):
        parts.insert(0, f"accuracy {number_text(result.accuracy)} (mean of {result.folds} folds)")
    defined = [(target, value) for target, value in result.tar.items() if not math.isnan(value)]
    if defined:
        target, value = min(defined, key=lambda one: float(one[0]))
        parts.append(f"TAR {_measure(result, f'tar@{target}', value)} at FMR {target}")
    reach = f"1 in {result.n_impostor:,}" if result.n_impostor else "none"
    subjects = "an unknown number of" if result.subjects is None else f"{result.subjects:,}"
    intervals = "" if result.intervals else "; there are no intervals, as none were asked for (--bootstrap 1000)"
    return (
        f"{name}: {', '.join(parts)}.",
        f"It rests on {result.n_genuine:,} mated and {result.n_impostor:,} non-mated comparisons of {subjects} "
        f"subjects, which show no FMR below {reach}; no groups were named, so nothing is said about the worst "
        f"one{intervals}.",
    )


def _measure(result: VerificationResult, key: str, value: float) -> str:
    interval = result.intervals.get(key)
    return number_text(value) + (f" {interval_text(interval.low, interval.high)}" if interval else "")
