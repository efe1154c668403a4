"""Verification results as a table for people: one way for all programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fairface.cli import table
from fairface.quantity import quantity
from fairface.scoring.measure import Interval
from fairface.scoring.verification import VerificationResult

MISSING = "n/a"
Labels = tuple[str, ...]  # of a row; the first names the result in notes


def verification_table(results: Mapping[Labels, VerificationResult], labels: Sequence[str], brief: bool = False) -> str:
    """:func:`verification_rows` as text, with the notes below unless it is ``brief``."""
    header, rows = verification_rows(results, labels, brief)
    return "\n".join([table(rows, header), *([] if brief else verification_notes(results))])


def verification_rows(
    results: Mapping[Labels, VerificationResult], labels: Sequence[str], brief: bool = False, accuracy: bool = True
) -> tuple[list[str], list[list[str]]]:
    """Header and one row for each of ``results``, which must have been made for the same FMRs.

    Args:
        results: by the texts that a row begins with.
        labels: the header of these texts.
        brief: three digits instead of four, without counts and without the spread of the accuracy over folds.
        accuracy: with that column, unless no result has about as many genuine as impostor comparisons.
    """
    targets = list(next(iter(results.values())).tar) if results else []
    counts = [] if brief else ["genuine", "impostor", "subjects"]
    header = [*labels, *counts, "AUC", "EER", *(f"TAR at FMR {t}" for t in targets)]
    accuracy = accuracy and any(result.is_balanced for result in results.values())
    header += ["accuracy"] if accuracy else []
    digits = 3 if brief else 4
    rows = []
    for names, result in results.items():
        tar = [_number(result.tar[t], digits, result.intervals.get(f"tar@{t}")) for t in targets]
        row = [*names, *([] if brief else _counts(result))]
        row += [_number(result.auc, digits, result.intervals.get("auc")), _number(result.eer, digits), *tar]
        rows.append([*row, *([_accuracy(result, digits, brief)] if accuracy else [])])
    return header, rows


def verification_notes(results: Mapping[Labels, VerificationResult], accuracy: bool = True) -> list[str]:
    """The reason of every n/a (of the ``accuracy`` only where it is shown), repeated comparisons, and what intervals
    are shown."""
    reasons: dict[str, list[str]] = {}
    for names, result in results.items():
        for key, reason in result.reasons.items():
            if accuracy or key != "accuracy":
                reasons.setdefault(f"{_spelled(key)} {MISSING}: {reason}", []).append(names[0])
        if accuracy and not (result.is_balanced or "accuracy" in result.reasons):
            kind = "impostor" if result.n_impostor > result.n_genuine else "genuine"
            unbalanced = (
                f"accuracy is not shown: {result.majority_share:.1%} of the comparisons are {kind} ones, and giving "
                "always that answer would be right as often"
            )
            reasons.setdefault(unbalanced, []).append(names[0])
        for note in result.notes if accuracy and result.is_balanced else ():
            reasons.setdefault(note, []).append(names[0])
        if result.duplicates:
            repeated = quantity(
                result.duplicates,
                "comparison repeats an earlier one; it is counted again",
                "comparisons repeat an earlier one; they are counted again",
            )
            reasons.setdefault(repeated, []).append(names[0])
    notes = [f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in reasons.items()]
    shown = {(i.level, i.rounds) for result in results.values() for i in result.intervals.values()}
    return notes + [
        f"[low, high]: {level:.0%} confidence intervals over subjects, "
        + (quantity(rounds, "bootstrap resample") if rounds else "in closed form")
        for level, rounds in sorted(shown)
    ]


def _counts(result: VerificationResult) -> list[str]:
    subjects = MISSING if result.subjects is None else str(result.subjects)
    return [str(result.n_genuine), str(result.n_impostor), subjects]


def _accuracy(result: VerificationResult, digits: int, brief: bool) -> str:
    mean = _number(result.accuracy, digits) if result.is_balanced else MISSING
    return mean if brief or mean == MISSING else f"{mean} ± {result.accuracy_std:.{digits}f}"


def _number(value: float, digits: int, interval: Interval | None = None) -> str:
    if math.isnan(value):
        return MISSING
    ends = f" [{interval.low:.{digits}f}, {interval.high:.{digits}f}]" if interval else ""
    return f"{value:.{digits}f}{ends}"


def _spelled(key: str) -> str:
    return key.replace("tar@", "TAR at FMR ")
