"""Error rates by group of all pairs of images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.all_pairs.counts import ImpostorCounts
from fairface.scoring.all_pairs.error_type import ImpostorErrors
from fairface.scoring.all_pairs.layout import Layout
from fairface.scoring.all_pairs.roc import roc_of
from fairface.scoring.all_pairs.scan import HIGHEST, Histogram, edges
from fairface.scoring.all_pairs.windows import GENUINE, IMPOSTOR, Inside
from fairface.scoring.fairness.accounting import Accounting
from fairface.scoring.fairness.counts import Floats, Ints, Nodes, PairCounts, add_up, compact
from fairface.scoring.fairness.error_types import ListedErrorType
from fairface.scoring.fairness.grouped import GroupedErrors, Within
from fairface.scoring.fairness.grouping import Groups
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rates_at import GroupRatesAt
from fairface.scoring.fairness.score_differential import NO_SPREAD, ScoreDifferential, ScoreSums
from fairface.scoring.roc import auc


@dataclass(frozen=True)
class Matches:
    """Pairs of the layout's nodes that match at the shared threshold, and how often, for genuine and impostor pairs."""

    genuine: tuple[Ints, Ints, Ints]
    impostor: tuple[Ints, Ints, Ints]

    @classmethod
    def of(cls, inside: Inside, threshold: float, layout: Layout) -> Matches:
        genuine, impostor = (inside.matches_at(threshold, kind, layout.node) for kind in (GENUINE, IMPOSTOR))
        return cls(genuine, impostor)


class AllPairsGrouped(GroupedErrors):
    """All pairs of the images that have a group.

    Args:
        layout: whose own groups are at least as fine as ``groups``.
        of_layout: (groups of the layout,) the group of each, -1 unknown.
        groups: of the images as they were given.
        matches: at the shared threshold.
        histograms: of the scores within each group.
    """

    def __init__(
        self, layout: Layout, of_layout: Ints, groups: Groups, matches: Matches, histograms: list[Histogram],
        options: FairnessOptions,
    ) -> None:  # fmt: skip
        self._histograms = histograms
        of_node = of_layout[layout.node_group]
        self._images = np.bincount(groups.of_image[groups.of_image >= 0], minlength=len(groups))
        nodes, place = _nodes(layout, of_node, len(groups))
        genuine = _genuine(layout, nodes, place, matches.genuine)
        known = of_node >= 0
        images = add_up(place[known], layout.node_sizes[known].astype(np.float64), len(nodes.subject))
        first, second, times = matches.impostor
        kept = (place[first] >= 0) & (place[second] >= 0)
        low, high = (side(place[first[kept]], place[second[kept]]) for side in (np.minimum, np.maximum))
        impostor = ImpostorCounts(nodes, images, low, high, times[kept].astype(np.float64)).merged()
        fnmr, fmr = ListedErrorType(genuine, options), ImpostorErrors(impostor, options)
        super().__init__(groups, options, _account(layout, of_layout, fnmr, fmr), nodes, fnmr, fmr)

    def inside(self, group: int) -> Within:
        genuine, impostor = (int(self.error_types[name].spread.comparisons[self.fnmr.within[group]])
                             for name in ("fnmr", "fmr"))  # fmt: skip
        area = auc(roc_of(self._histograms[group])) if genuine and impostor else math.nan
        return Within(int(self._images[group]), genuine, impostor, area)

    def rates_at(self, thresholds: NDArray[np.float64]) -> GroupRatesAt:
        """To the bin of a score; those within the bin of a threshold count in proportion to where it lies."""
        place = np.append(edges(), HIGHEST)
        found = {name: np.full((len(thresholds), len(self._histograms)), np.nan) for name in ("fnmr", "fmr")}
        for group, histogram in enumerate(self._histograms):
            for name, kind in (("fnmr", GENUINE), ("fmr", IMPOSTOR)):
                counts = histogram.counts[kind]
                if counts.sum():
                    below = np.interp(thresholds, place, np.append(0, np.cumsum(counts))) / counts.sum()
                    found[name][:, group] = below if name == "fnmr" else 1.0 - below
        return found

    def score_differentials(self, genuine: bool) -> list[ScoreDifferential]:
        low = edges()
        centres, kind = low + (low[1] - low[0]) / 2.0, GENUINE if genuine else IMPOSTOR
        counts = np.stack([histogram.counts[kind] for histogram in self._histograms]).astype(np.float64)
        sums = ScoreSums(counts.sum(axis=1), counts @ centres, counts @ centres**2)
        return sums.differentials(NO_SPREAD)


def _nodes(layout: Layout, of_node: Ints, groups: int) -> tuple[Nodes, Ints]:
    """Nodes of a coarser grouping, and which one each of the layout's nodes goes into, -1 none."""
    known = of_node >= 0
    subjects, subject = compact(layout.node_subject[known])
    keys, place = compact(of_node[known] * max(len(subjects), 1) + subject)
    found = np.full(len(of_node), -1, np.int64)
    found[known] = place
    width = max(len(subjects), 1)
    return Nodes(keys % width, keys // width, len(subjects), groups), found


def _genuine(layout: Layout, nodes: Nodes, place: Ints, matches: tuple[Ints, Ints, Ints]) -> PairCounts:
    """Genuine comparisons of each pair of nodes of one subject, and how many do not match."""
    first, second, pairs = _one_subject(layout)
    count, width = len(layout.node_sizes), len(nodes.subject)
    matched = np.zeros(len(first))
    keys = first * count + second
    matched[np.searchsorted(keys, matches[0] * count + matches[1])] = matches[2]
    kept = (place[first] >= 0) & (place[second] >= 0)
    low, high = (side(place[first[kept]], place[second[kept]]) for side in (np.minimum, np.maximum))
    named, where = np.unique(low * width + high, return_inverse=True)
    sums = [add_up(where, values[kept], len(named)) for values in (pairs, pairs - matched)]
    return PairCounts(nodes, named // max(width, 1), named % max(width, 1), sums[0], sums[1], genuine=True)


def _one_subject(layout: Layout) -> tuple[Ints, Ints, Floats]:
    """Pairs of the layout's nodes of one subject that hold comparisons (first <= second, sorted), and how many."""
    sizes, order = layout.node_sizes, np.argsort(layout.node_subject, kind="stable")
    first, second = [np.arange(len(sizes))], [np.arange(len(sizes))]
    subject = layout.node_subject[order]
    for step in range(1, layout.groups):
        alike = np.flatnonzero(subject[step:] == subject[:-step])
        first.append(order[alike])
        second.append(order[alike + step])
    a, b = np.concatenate(first), np.concatenate(second)
    pairs = np.where(a == b, sizes[a] * (sizes[a] - 1) // 2, sizes[a] * sizes[b])
    kept = np.flatnonzero(pairs)
    kept = kept[np.lexsort((b[kept], a[kept]))]
    return a[kept], b[kept], pairs[kept].astype(np.float64)


def _account(layout: Layout, of_layout: Ints, fnmr: ListedErrorType, fmr: ImpostorErrors) -> Accounting:
    """Where every comparison went; all have a score."""
    counts: dict[str, int] = {}
    for kind, errors, total in (("genuine", fnmr, layout.genuine), ("impostor", fmr, layout.impostor)):
        known, within = (int(of.sum()) for of in (errors.spread.comparisons, errors.spread.comparisons[errors.within]))
        counts |= {f"{kind}_within": within, f"{kind}_between": known - within, f"{kind}_unknown": total - known}
    return Accounting(
        total=layout.genuine + layout.impostor, unscored=0, images=len(layout),
        images_unknown=int((of_layout[layout.group] < 0).sum()), **counts,
    )  # fmt: skip
