"""The fairness score: scores, comparisons and protected attributes in, a :class:`FairnessResult` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.failures import ImageFailures, Unembedded
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.grouping import Groups, group_images, groupings
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.threshold import SharedThreshold, check_reach
from fairface.scoring.verification import count_duplicates

DISTANCES = "genuine comparisons score lower on average than impostor ones: are these distances? Give their negatives"


def assess(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    protected: Sequence[str],
    threshold: SharedThreshold,
    options: FairnessOptions | None = None,
    failed: NDArray[np.bool_] | None = None,
    unembedded: Unembedded | None = None,
) -> FairnessResult:
    """How fair ``scores (M,)`` (higher means more alike) of the M ``comparisons`` are.

    Groups are made by each of the ``protected`` attributes and by all of them together. A comparison is within a group
    when both its images belong to it. ``failed`` (N,) tells on which images detection failed, ``unembedded`` of more
    such images, which are in no comparison.

    Raises:
        DataError: an unknown attribute, unusable scores, a threshold that no score or every score reaches, subjects
            that contradict 'same'.
    """
    options = options or FairnessOptions()
    values, scored = usable_scores(scores, comparisons, options.unscored)
    given = np.isfinite(scores)
    check_reach(threshold, values[given])
    wrong = errors_at(threshold, values, comparisons)
    whole = Grouped(comparisons, everyone(comparisons), values, wrong, scored, replace(options, rounds=0))
    told = None if failed is None else ImageFailures.compared(comparisons, failed, unembedded)
    found = []
    for names in groupings(protected):
        groups = group_images(comparisons, names)
        failures = None if told is None else told.by_group(groups, names, options.level)
        found.append(Grouped(comparisons, groups, values, wrong, scored, options, given).result(failures))
    return FairnessResult(
        threshold=threshold,
        options=options,
        fnmr=whole.fnmr.rate(0, 0),
        fmr=whole.fmr.rate(0, 0),
        subjects=whole.nodes.subjects,
        duplicates=count_duplicates(comparisons),
        groupings={result.name: result for result in found},
        notes=(
            *notes_of(threshold, whole.nodes.subjects, int((~given).sum()), options.unscored),
            *_direction(values[scored], comparisons.same[scored]),
        ),
    )


def errors_at(threshold: SharedThreshold, scores: NDArray[np.float64], comparisons: Comparisons) -> NDArray[np.float64]:
    """(M,) 1 where a comparison goes wrong at the threshold, else 0."""
    return ((scores >= threshold.value) != comparisons.same).astype(np.float64)


def everyone(comparisons: Comparisons) -> Groups:
    """All images as one group."""
    images = int(max(comparisons.a.max(), comparisons.b.max())) + 1
    return Groups("all", ("all",), np.zeros(images, np.int64))


def _direction(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> list[str]:
    """A warning where genuine comparisons score lower than impostor ones, as distances do."""
    if same.all() or not same.any() or scores[same].mean() >= scores[~same].mean():
        return []
    return [DISTANCES]


def notes_of(threshold: SharedThreshold, subjects: int, missing: int, unscored: str) -> list[str]:
    """What a reader must know; ``missing`` comparisons have no usable score."""
    notes = []
    if threshold.optimistic:
        notes.append(
            "the threshold was set on images that are also scored, so their FMR is the target by construction; set it "
            "on other subjects"
        )
    if threshold.same_people:
        notes.append(
            "the threshold was set on people who are also scored, and no image names tell whether on the same images; "
            "set it on other subjects"
        )
    if subjects == 0:
        notes.append("the comparisons name no subjects: no intervals, no measures, no power analysis")
    if missing:
        left_out, counted = ("was left out", "were left out"), ("counts as no match", "count as no match")
        fate = agree(missing, *(left_out if unscored == "leave_out" else counted))
        notes.append(f"{quantity(missing, 'comparison')} without a usable score {fate}")
    return notes
