"""Verification results as a table for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fairface.cli import table
from fairface.scoring.measure import Interval
from fairface.scoring.verification import VerificationResult

MISSING = "n/a"


def verification_table(results: Mapping[str, VerificationResult]) -> str:
    """One row for each set of comparisons; below it the reason of every n/a and what intervals are shown.

    All results must have been made for the same FMRs.
    """
    targets = list(next(iter(results.values())).tar) if results else []
    header = ["set", "genuine", "impostor", "people", "accuracy", "AUC", "EER", *(f"TAR@{t}" for t in targets)]
    rows = [_row(name, result, targets) for name, result in results.items()]
    return "\n".join([table(rows, header), *_notes(results)])


def _row(name: str, result: VerificationResult, targets: list[str]) -> list[str]:
    accuracy = _number(result.accuracy)
    if accuracy != MISSING:
        accuracy += f" ± {result.accuracy_std:.4f}"
    return [
        name,
        str(result.n_genuine),
        str(result.n_impostor),
        MISSING if result.people is None else str(result.people),
        accuracy,
        _number(result.auc, result.intervals.get("auc")),
        _number(result.eer),
        *(_number(result.tar[target], result.intervals.get(f"tar@{target}")) for target in targets),
    ]


def _number(value: float, interval: Interval | None = None) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:.4f}" + (f" [{interval.low:.4f}, {interval.high:.4f}]" if interval else "")


def _notes(results: Mapping[str, VerificationResult]) -> list[str]:
    notes = [
        f"{name}: {_spelled(key)} {MISSING}: {reason}"
        for name, result in results.items()
        for key, reason in result.reasons.items()
    ]
    notes += [
        f"{name}: {result.duplicates} comparisons repeat an earlier one and are counted again"
        for name, result in results.items()
        if result.duplicates
    ]
    shown = {(i.level, i.rounds) for result in results.values() for i in result.intervals.values()}
    notes += [f"[low, high]: {level:.0%} interval, {rounds} resamplings of people" for level, rounds in sorted(shown)]
    return notes


def _spelled(key: str) -> str:
    return key.replace("tar@", "TAR at FMR ")
