"""Two models on the same comparisons: what changed for each group, with intervals of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.assess import errors_at
from fairface.scoring.fairness.change import change
from fairface.scoring.fairness.difference import Change, PairedCounts
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.grouping import group_images, groupings
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import SharedThreshold, check_reach
from fairface.scoring.fairness.threshold_draws import DrawsOfSubjects, ThresholdData


def compare(
    before: tuple[NDArray[np.floating], SharedThreshold],
    after: tuple[NDArray[np.floating], SharedThreshold],
    comparisons: Comparisons,
    protected: Sequence[str],
    options: FairnessOptions | None = None,
    set_on: ThresholdData | None = None,
) -> dict[str, Change]:
    """What a second model changes, by grouping; each model has its scores (M,) and its own threshold.

    The same subjects are drawn for both, and only comparisons with a usable score from both count, so the differences
    are paired; where some are left out, ``counts`` of each change tell how many. Intervals of scalars lie between
    percentiles of the paired rounds. Groups with fewer than ``min_subjects`` get intervals, but no verdict.

    ``set_on`` are the comparisons that set both thresholds: intervals then include that other people would have set
    others. Without them, and where thresholds were given or nobody is named, both are taken as known.

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
    found = {}
    thresholds = None if set_on is None else DrawsOfSubjects(set_on, (before[1], after[1]), options)
    for names in groupings(protected):
        groups = group_images(comparisons, names)
        pair = [
            Grouped(comparisons, groups, values, wrong, scored, options)
            for (values, _), wrong in zip(usable, errors, strict=True)
        ]
        draws = None if thresholds is None else thresholds.of(pair[0].named_subjects())
        found[groups.name] = change(pair[0], pair[1], options, draws)
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
