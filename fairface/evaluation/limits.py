"""What an evaluation's subjects cannot show, read off its own data."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.evaluation.assessment import Assessment, EvaluationOptions
from fairface.evaluation.judged import ALL_STEPS
from fairface.quantity import agree, quantity
from fairface.report.fairness_numbers import number_text
from fairface.scoring.fairness.grouping import value_name
from fairface.scoring.fairness.result import GroupingResult
from fairface.scoring.fairness.worst import ERROR_TYPES, worst_group

FEW_SUBJECTS = 30  # below, intervals over subjects are known to be too narrow (docs/experiments/coverage.md)


def what_cannot_be_shown(found: Assessment) -> list[str]:
    """Sentences with counts: few subjects, attributes that do not vary or vary together, small groups, gaps that would
    go unseen, worst groups that cannot be told from the others, rates that too few pairs leave undefined."""
    lines = [*_subjects(found), *_attributes(found.comparisons, found.options)]
    if found.fairness is None:
        lines.append("no protected attribute is named, so there are no results by group")
    else:
        options = found.options.fairness
        for grouping in found.fairness.result.groupings.values():
            lines += [*_small(grouping, options.min_subjects), *_unseen(grouping), *_worst(grouping)]
    lines += [
        f"{key.replace('tar@', 'TAR at FMR ')} is undefined: {reason}"
        for key, reason in found.verification[ALL_STEPS].reasons.items()
        if key != "accuracy"  # which is not reported here
    ]
    return lines


def _subjects(found: Assessment) -> list[str]:
    subjects, images = found.verification[ALL_STEPS].subjects, len(_used(found.comparisons))
    if subjects is None:
        return ["the truth names no subjects: there are no confidence intervals for other subjects"]
    if subjects >= FEW_SUBJECTS:
        return [
            f"{quantity(subjects, 'subject')} and {quantity(images, 'image')}: results hold for similar subjects and "
            "conditions only"
        ]
    return [
        f"{quantity(subjects, 'subject is', 'subjects are')} few: the confidence intervals are too narrow, and other "
        f"subjects may give very different results; more images of the same subjects (now {images}) do not help"
    ]


def _used(comparisons: Comparisons) -> NDArray[np.int64]:
    return np.union1d(comparisons.a, comparisons.b)


def _attributes(comparisons: Comparisons, options: EvaluationOptions) -> list[str]:
    if not (options.protected or options.legitimate):
        return []
    codes = comparisons.attributes[_used(comparisons)]
    lines, varying = [], []
    for name in dict.fromkeys([*options.protected, *options.legitimate]):
        column = comparisons.attribute_names.index(name)
        known = codes[codes[:, column] >= 0, column]
        unknown = len(codes) - len(known)
        if unknown:
            lines.append(
                f"{name} is unknown for {unknown} of {quantity(len(codes), 'image')}; their pairs are in no group"
            )
        values = np.unique(known)
        if len(values) == 1:
            only = value_name(comparisons, column, int(values[0]))
            lines.append(
                f"{name} does not vary: it is {only} on all {quantity(len(known), 'image')}, so its effect is unknown"
            )
        elif len(values) and name in options.protected:
            varying.append((name, column))
    for (one, first), (other, second) in combinations(varying, 2):
        lines += _missing_combinations(comparisons, codes, (one, first), (other, second))
    return lines


def _missing_combinations(
    comparisons: Comparisons, codes: NDArray[np.int8], one: tuple[str, int], other: tuple[str, int]
) -> list[str]:
    both = codes[:, [one[1], other[1]]]
    there = {tuple(row) for row in both[(both >= 0).all(axis=1)].tolist()}
    first, second = ({pair[side] for pair in there} for side in (0, 1))
    missing = [
        f"{one[0]} {value_name(comparisons, one[1], a)} with {other[0]} {value_name(comparisons, other[1], b)}"
        for a in sorted(first) for b in sorted(second) if (a, b) not in there
    ]  # fmt: skip
    if not missing:
        return []
    return [f"no image shows {'; '.join(missing)}: effects of {one[0]} and {other[0]} cannot be separated"]


def _small(grouping: GroupingResult, min_subjects: int) -> list[str]:
    small = [f"{row.group}: {row.subjects}" for row in grouping.rows if row.too_few]
    if not small:
        return []
    return [
        f"by {grouping.name}, {len(small)} of {quantity(len(grouping.rows), 'group')} "
        f"{agree(len(small), 'has', 'have')} fewer than {quantity(min_subjects, 'subject')} ({', '.join(small)}) and "
        "are excluded from all measures; their rates are shown for information only"
    ]


def _unseen(grouping: GroupingResult) -> list[str]:
    lines = []
    for row in grouping.rows:
        for name, plan in (("FNMR", row.fnmr_plan), ("FMR", row.fmr_plan)):
            where = f"by {grouping.name}, {row.group}: a difference in {name} from all others"
            if math.isnan(plan.detectable):
                lines.append(f"{where} cannot be detected at any size ({plan.reason})")
            elif plan.detectable >= 1:
                lines.append(f"{where} cannot be detected, whatever its size")
            else:
                lines.append(f"{where} smaller than {number_text(plan.detectable)} would usually not be detected")
    return lines


def _worst(grouping: GroupingResult) -> list[str]:
    lines = []
    for side in ERROR_TYPES:
        worst = worst_group(grouping, side)
        if not worst.distinguishable:
            lines.append(f"by {grouping.name}, the worst {side.upper()} is not distinguishable: {worst.message}")
    return lines
