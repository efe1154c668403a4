"""The fairness score of all pairs of images, however many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.all_pairs.grouped import AllPairsGrouped, Matches
from fairface.scoring.all_pairs.layout import Layout
from fairface.scoring.all_pairs.roc import roc_of
from fairface.scoring.all_pairs.scan import BINS, Histogram, Watch, count_scores, edges, unwatched
from fairface.scoring.all_pairs.windows import Window, look_into, window_of_fmr
from fairface.scoring.fairness.assess import DISTANCES, notes_of
from fairface.scoring.fairness.compare import change
from fairface.scoring.fairness.curves import DEFAULT_GRID, GroupCurve
from fairface.scoring.fairness.difference import Change
from fairface.scoring.fairness.failures import GroupFailures, ImageFailures, Unembedded
from fairface.scoring.fairness.grouping import Groups, group_images, groupings
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.threshold import SAME_DATA, SharedThreshold, check_reach, check_target
from fairface.scoring.roc import Roc, auc, tar_at_fmr, threshold_at_fmr

NO_BANDS = "all pairs are counted by score, not listed, so curves of groups have no bands"


@dataclass(frozen=True)
class People:
    """Who is on the N images, and their attributes: see :class:`fairface.comparisons.Comparisons`."""

    subjects: NDArray[np.int64]
    attributes: NDArray[np.int8]
    attribute_names: tuple[str, ...]
    attribute_values: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = ()

    def groups(self, names: Sequence[str]) -> Groups:
        """Groups by these attributes together."""
        return group_images(self.each, names)

    @property
    def each(self) -> Comparisons:
        """Every image with itself: for what is asked of comparisons and concerns images alone."""
        images = np.arange(len(self.subjects))
        nothing = np.zeros(len(images), np.int64)
        return Comparisons(
            images, images, nothing.astype(bool), nothing.astype(np.int32), nothing, nothing, self.attributes,
            self.attribute_names, self.names, self.attribute_values,
        )  # fmt: skip


@dataclass(frozen=True)
class AllPairsFairness:
    """The score, the ROC of all pairs, and that of each group by all protected attributes together."""

    result: FairnessResult
    curve: Roc
    curves: tuple[GroupCurve, ...]
    grouped: tuple[AllPairsGrouped, ...]


def assess_all(
    embeddings: NDArray[np.floating],
    people: People,
    protected: Sequence[str],
    threshold: SharedThreshold | float,
    options: FairnessOptions | None = None,
    failed: NDArray[np.bool_] | None = None,
    watch: Watch = unwatched,
    unembedded: Unembedded | None = None,
) -> AllPairsFairness:
    """How fair the cosines of every pair of ``embeddings (N, D)`` are: :func:`fairface.scoring.fairness.assess.assess`.

    Args:
        people: of the images.
        protected: attributes that make groups.
        threshold: given, or the FMR at which it is set on these pairs.
        options: settings; intervals are those of lists.
        failed: (N,) on which images detection failed.
        watch: shows progress.
        unembedded: more images on which detection failed.

    Raises:
        DataError: what :func:`assess` and :class:`Layout` refuse.
    """
    options = options or FairnessOptions()
    found = [people.groups(names) for names in groupings(protected)]
    fine, group = np.unique(np.stack([of.of_image for of in found]), axis=1, return_inverse=True)
    layout = Layout.of(embeddings, people.subjects, group.reshape(-1))
    parts = [fine[i] == code for i, of in enumerate(found) for code in range(len(of))]
    histograms = count_scores(layout, parts, watch)
    window, shared = _window(histograms[0], threshold, layout)
    (inside,) = look_into([window], layout, embeddings, watch=watch)
    curve = roc_of(histograms[0], [window], [inside], layout.margin)
    if shared is None:
        shared = _calibrated(curve, float(threshold))  # type: ignore[arg-type]
    check_reach(shared, _extremes(histograms[0]))
    matches = Matches.of(inside, shared.value, layout)
    whole = AllPairsGrouped(layout, np.zeros(layout.groups, np.int64), _everyone(len(layout)), matches,
                            histograms[:1], replace(options, rounds=0))  # fmt: skip
    grouped, start = [], 1
    for i, of in enumerate(found):
        within = histograms[start : start + len(of)]
        start += len(of)
        grouped.append(AllPairsGrouped(layout, fine[i], of, matches, within, options))
    failures: list[GroupFailures | None] = [None] * len(found)
    if failed is not None:
        told = ImageFailures(people.each, np.arange(len(layout)), people.subjects, failed, unembedded)
        by_group = zip(found, groupings(protected), strict=True)
        failures = [told.by_group(of, names, options.level) for of, names in by_group]
    result = FairnessResult(
        threshold=shared, options=options, fnmr=whole.fnmr.rate(0, 0), fmr=whole.fmr.rate(0, 0),
        subjects=layout.subjects, duplicates=0,
        groupings={of.groups.name: of.result(told) for of, told in zip(grouped, failures, strict=True)},
        notes=(*notes_of(shared, layout.subjects, 0, options.unscored), *_direction(histograms[0])),
    )  # fmt: skip
    curves = tuple(_curve(label, of) for label, of in zip(found[-1].labels, within, strict=True))
    return AllPairsFairness(result, curve, curves, tuple(grouped))


def changes_of(before: AllPairsFairness, after: AllPairsFairness) -> dict[str, Change]:
    """What the second model changes, by grouping; both scored the same images in the same order."""
    pairs = zip(before.grouped, after.grouped, strict=True)
    return {a.groups.name: change(b, a, after.result.options) for b, a in pairs}


def _everyone(images: int) -> Groups:
    return Groups("all", ("all",), np.zeros(images, np.int64))


def _window(
    histogram: Histogram, threshold: SharedThreshold | float, layout: Layout
) -> tuple[Window, SharedThreshold | None]:
    if isinstance(threshold, SharedThreshold):
        return Window(threshold.value, threshold.value, by_pair=True), threshold
    check_target(threshold, layout.impostor, SAME_DATA)
    return window_of_fmr(histogram, threshold, by_pair=True), None


def _calibrated(curve: Roc, target: float) -> SharedThreshold:
    value = threshold_at_fmr(curve, target)
    if not math.isfinite(value):
        raise DataError(
            f"{SAME_DATA}: the highest score is shared by more than {target:g} of the impostor comparisons, so no "
            "threshold keeps that FMR; use a higher FMR"
        )
    matches = int(curve.false_matches[np.flatnonzero(curve.thresholds >= value)[-1]])
    how = (
        f"FMR {target:g} on {SAME_DATA} ({matches} of {quantity(curve.impostor, 'impostor comparison')} "
        f"{agree(matches, 'matches', 'match')})"
    )
    return SharedThreshold(value, how, target, optimistic=True)


def _extremes(histogram: Histogram) -> NDArray[np.float64]:
    filled = np.flatnonzero(histogram.counts.sum(axis=0))
    low = edges()
    return np.array([low[filled[0]], low[filled[-1]] + low[1] - low[0]])


def _direction(histogram: Histogram) -> list[str]:
    genuine, impostor = histogram.counts @ np.arange(BINS) / histogram.counts.sum(axis=1)
    return [] if genuine >= impostor else [DISTANCES]


def _curve(label: str, histogram: Histogram) -> GroupCurve:
    fmr, nothing = np.array(DEFAULT_GRID), np.full(len(DEFAULT_GRID), np.nan)
    genuine, impostor = histogram.counts.sum(axis=1).tolist()
    if not genuine or not impostor:
        reason = f"{genuine} genuine and {quantity(impostor, 'impostor comparison')}"
        return GroupCurve(label, None, fmr, nothing, nothing, nothing, math.nan, None, reason)
    roc = roc_of(histogram)
    tar = np.array([tar_at_fmr(roc, target).value for target in DEFAULT_GRID])
    return GroupCurve(label, roc, fmr, tar, nothing, nothing, auc(roc), None, NO_BANDS)
