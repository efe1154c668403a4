"""What changed from one model to another on the same comparisons of the same groups, with intervals and verdicts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.quantity import agree, quantity
from fairface.scoring.fairness.counts import Floats, Ints
from fairface.scoring.fairness.difference import ALIKE, Change, Difference, difference, few_subjects
from fairface.scoring.fairness.error_types import ErrorType
from fairface.scoring.fairness.grouped import GroupedErrors
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rules import RULES, Rule, Setting
from fairface.scoring.fairness.threshold_draws import ThresholdDraws
from fairface.scoring.fairness.threshold_shift import ThresholdShift


def change(
    before: GroupedErrors, after: GroupedErrors, options: FairnessOptions, draws: ThresholdDraws | None = None
) -> Change:
    """What changed from ``before`` to ``after``, which rate the same comparisons of the same groups.

    With ``draws`` intervals include that other people would have set other thresholds.
    """
    labels = before.groups.labels
    pairs = {name: (before.error_types[name], after.error_types[name]) for name in before.error_types}
    rounds = {name: of_before.paired_rounds(of_after) for name, (of_before, of_after) in pairs.items()}
    # Where nobody is named there are no intervals that thresholds could widen.
    shift = None if draws is None or before.nodes.subjects == 0 else _shift(before, after, draws)
    rates = {
        name: dict(zip(labels, _rate_differences(*pair, options, rounds[name], shift), strict=True))
        for name, pair in pairs.items()
    }
    if shift is not None:
        rounds = {name: [shift.moved(name, i, of) for i, of in enumerate(both)] for name, both in rounds.items()}
    scalars = {rule.name: _scalar_difference(rule, before, after, rounds, options) for rule in RULES}
    drawn = 0 if shift is None else len(shift.draws.values)
    return Change(before.groups.name, rates["fnmr"], rates["fmr"], scalars, threshold_rounds=drawn)


def _shift(before: GroupedErrors, after: GroupedErrors, draws: ThresholdDraws) -> ThresholdShift:
    """The rates of both models at each round's thresholds."""
    thresholds = np.vstack([draws.values, draws.set_at])
    return ThresholdShift(draws, (before.rates_at(thresholds[:, 0]), after.rates_at(thresholds[:, 1])))


def _rate_differences(
    before: ErrorType, after: ErrorType, options: FairnessOptions, rounds: list[NDArray[np.float64]],
    shift: ThresholdShift | None,
) -> list[Difference]:  # fmt: skip
    """By the spread of the difference in errors of each pair of subjects, which the two models share."""
    found = before.change_to(after)
    result = []
    for group, cell in enumerate(after.within.tolist()):
        variance, freedom = float(found.variance[cell]), float(found.degrees_of_freedom[cell])
        value = float(found.rate[cell])
        # A change that is the same for everybody says nothing of other subjects, whatever the thresholds vary.
        if shift is not None and not math.isnan(variance) and (variance > 0 or value == 0):
            drawn = rounds[1][:, group] - rounds[0][:, group]
            variance, freedom = shift.widened(before.name, group, variance, freedom, drawn)
        half = float(stats.t.ppf((1 + options.level) / 2, freedom) * math.sqrt(variance))
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
