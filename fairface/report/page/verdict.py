"""The sentences at the top of a page about verification: how accurate, and what that rests on."""

from __future__ import annotations

import math

from fairface.quantity import quantity
from fairface.report.fairness_numbers import interval_text, number_text
from fairface.scoring.verification import VerificationResult


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
    subjects = "an unknown number of subjects"
    if result.subjects is not None:
        subjects = quantity(result.subjects, "subject", form=",")
    intervals = "" if result.intervals else "; there are no intervals, as none were asked for (--bootstrap 1000)"
    return (
        f"{name}: {', '.join(parts)}.",
        f"It rests on {result.n_genuine:,} mated and {quantity(result.n_impostor, 'non-mated comparison', form=',')} "
        f"of {subjects}, which show no FMR below {reach}; no groups were named, so nothing is said about the worst "
        f"one{intervals}.",
    )


def _measure(result: VerificationResult, key: str, value: float) -> str:
    interval = result.intervals.get(key)
    return number_text(value) + (f" {interval_text(interval.low, interval.high)}" if interval else "")
