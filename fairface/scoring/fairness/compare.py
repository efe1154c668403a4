"""Two models on the same comparisons: what changed for each group, with intervals of the differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.comparisons import Comparisons
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.assess import errors_at
from fairface.scoring.fairness.counts import Floats, Ints
from fairface.scoring.fairness.difference import ALIKE, Change, Difference, PairedCounts, difference, few_subjects
from fairface.scoring.fairness.error_types import ErrorType
from fairface.scoring.fairness.grouped import Grouped, GroupedErrors
from fairface.scoring.fairness.grouping import group_images, groupings
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rules import RULES, Rule, Setting
from fairface.scoring.fairness.threshold import SharedThreshold, check_reach


def compare(
    before: tuple[NDArray[np.floating], SharedThreshold],
    after: tuple[NDArray[np.floating], SharedThreshold],
    comparisons: Comparisons,
    protected: Sequence[str],
    options: FairnessOptions | None = None,
) -> dict[str, Change]:
    """What a second model changes, by grouping; each model has its scores (M,) and its own threshold.

    The same subjects are drawn for both, and only comparisons with a usable score from both count, so the differences
    are paired; where some are left out, ``counts`` of each change tell how many. Intervals of scalars lie between
    percentiles of the paired rounds. Groups with fewer than ``min_subjects`` get intervals, but no verdict.

    Raises:
        DataError: see :func:`fairface.scoring.fairness.assess.assess`.
    """
    options = options or FairnessOptions()
    usable = [usable_scores(scores, comparisons, options.unscored) for scores, _ in (before, after)]
    scored = usable[0][1] & usable[1][1]
    for scores, threshold in (before, after):
        check_reach(threshold, np.asarray(scores, np.float64)[np.isfinite(scores)])
    errors = [
        errors_at(threshold, values, comparisons)
        for (_, threshold), (values, _) in zip((before, after), usable, strict=True)
    ]
    found = compare_errors(errors[0], errors[1], comparisons, protected, options, scored)
    if scored.all():
        return found
    unscored = [int((~kept).sum()) for _, kept in usable]
    counts = PairedCounts(len(scored), unscored[0], unscored[1], int(scored.sum()))
    return {name: replace(of, counts=counts) for name, of in found.items()}


def compare_errors(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    comparisons: Comparisons,
    protected: Sequence[str],
    options: FairnessOptions | None = None,
    scored: NDArray[np.bool_] | None = None,
) -> dict[str, Change]:
    """:func:`compare` of errors ``(M,)``: 1 where a comparison goes wrong, 0 where not, or a share in between.

    A share is how often a comparison goes wrong over several trainings of one recipe: the interval is then that of the
    recipe's mean over these trainings, for other subjects. ``scored (M,)`` tells which comparisons count.

    Raises:
        DataError: see :func:`fairface.scoring.fairness.assess.assess`.
    """
    options = options or FairnessOptions()
    counted = np.ones(len(comparisons), bool) if scored is None else scored
    result = {}
    for names in groupings(protected):
        groups = group_images(comparisons, names)
        # Scores of their own are not needed: nothing of a change is an area under a curve.
        pair = [Grouped(comparisons, groups, 1.0 - errors, errors, counted, options) for errors in (before, after)]
        result[groups.name] = change(pair[0], pair[1], options)
    return result


def change(before: GroupedErrors, after: GroupedErrors, options: FairnessOptions) -> Change:
    """What changed from ``before`` to ``after``, which rate the same comparisons of the same groups."""
    labels = before.groups.labels
    pairs = {name: (before.error_types[name], after.error_types[name]) for name in before.error_types}
    rates = {name: dict(zip(labels, _rate_differences(*pair, options), strict=True)) for name, pair in pairs.items()}
    rounds = {name: of_before.paired_rounds(of_after) for name, (of_before, of_after) in pairs.items()}
    scalars = {rule.name: _scalar_difference(rule, before, after, rounds, options) for rule in RULES}
    return Change(before.groups.name, rates["fnmr"], rates["fmr"], scalars)


def _rate_differences(before: ErrorType, after: ErrorType, options: FairnessOptions) -> list[Difference]:
    """By the spread of the difference in errors of each pair of subjects, which the two models share."""
    found = before.change_to(after)
    result = []
    for cell in after.within.tolist():
        t = stats.t.ppf((1 + options.level) / 2, found.degrees_of_freedom[cell])
        half, value = float(t * math.sqrt(found.variance[cell])), float(found.rate[cell])
        few = few_subjects(int(found.subjects[cell]), options.min_subjects)
        reason = ""
        if math.isnan(half):
            reason = "no comparisons" if found.comparisons[cell] == 0 else "too few subjects, or they are not named"
        ends = before.spread.rate[cell], after.spread.rate[cell]
        result.append(difference(*ends, value - half, value + half, reason=reason, no_verdict=few))
    return result


def _scalar_difference(
    rule: Rule, before: GroupedErrors, after: GroupedErrors, rounds: dict[str, list[NDArray[np.float64]]],
    options: FairnessOptions,
) -> Difference:  # fmt: skip
    groups: Ints = before.eligible[rule.error_types[0]]
    for name in rule.error_types:
        groups = np.intersect1d(groups, np.intersect1d(before.eligible[name], after.eligible[name]))
    if len(groups) < 2:
        reason = (
            f"{len(groups)} of {quantity(len(before.groups), 'group')} {agree(len(groups), 'has', 'have')} "
            f"{quantity(options.min_subjects, 'subject')} or more"
        )
        return difference(math.nan, math.nan, math.nan, math.nan, reason=reason)
    values: list[float] = []
    drawn: list[Floats] = []
    for place, grouped in enumerate((before, after)):
        cells = grouped.fnmr.within[groups]
        setting = Setting(options.alpha, grouped.fmr.spread.comparisons[cells], grouped.fnmr.spread.comparisons[cells])
        rates = [grouped.error_types[name].spread.rate[cells] for name in rule.error_types]
        values.append(float(rule.compute(rates, setting)))
        drawn.append(np.asarray(rule.compute([rounds[name][place][:, groups] for name in rule.error_types], setting)))
    differences = (drawn[1] - drawn[0])[~np.isnan(drawn[1] - drawn[0])]
    reason = "a division by a rate of 0" if any(math.isnan(value) for value in values) else ""
    low = high = math.nan
    if any(of.error_types[name].alike(groups).any() for of in (before, after) for name in rule.error_types):
        reason = reason or ALIKE
    elif len(differences):
        low, high = np.quantile(differences, [(1 - options.level) / 2, (1 + options.level) / 2])
        # Rounds of few subjects can lie all on one side of the value; an interval without it would be no answer.
        low, high = min(low, values[1] - values[0]), max(high, values[1] - values[0])
    return difference(values[0], values[1], low, high, rule.worse_when_larger, reason)
