"""Fairness of all pairs of images as a report. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.evaluation.all_pairs import AllPairs, watch
from fairface.protocols.attribute_values import alike_values
from fairface.report.fairness_report import FairnessReport
from fairface.scoring.all_pairs.fairness import assess_all, changes_of
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import SharedThreshold
from fairface.scoring.fairness.unusable import below_half, unusable_rates
from fairface.scoring.roc import auc


def assess_all_pairs(
    pairs: AllPairs,
    protected: Sequence[str],
    thresholds: Sequence[SharedThreshold | float],
    options: FairnessOptions,
    leave_out_failures: bool = False,
    curves: bool = False,
    show: bool = True,
) -> FairnessReport:
    """The fairness of the first model, and what it changes against the second, if there is one.

    Args:
        pairs: with the embeddings of one or two models.
        protected: attributes that make groups.
        thresholds: of each model: given, or the FMR at which it is set on these pairs.
        options: settings.
        leave_out_failures: only images on which a face was found count.
        curves: adds those of the groups.
        show: progress bars.

    Raises:
        DataError: see :func:`fairface.scoring.all_pairs.fairness.assess_all`.
    """
    told = pairs.failure_to_acquire()
    notes = [] if told is None else told.sentences(leave_out_failures)
    if leave_out_failures:
        pairs = pairs.without_failures()
    people = pairs.people
    values = dict(zip(people.attribute_names, people.attribute_values, strict=False))
    notes += alike_values(protected, [values.get(name, ()) for name in protected])
    found = [
        assess_all(rows, people, protected, threshold, options, pairs.failed, watch(show), pairs.unembedded)
        for rows, threshold in zip(pairs.embeddings, thresholds, strict=False)
    ]
    changes = changes_of(found[1], found[0]) if len(found) > 1 else {}
    unusable = unusable_rates(below_half(auc(found[0].curve)), found[0].result)
    shown = found[0].curves if curves else ()
    return FairnessReport(found[0].result, {}, changes, shown, unusable, tuple(notes))
