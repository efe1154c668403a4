"""Scores of many comparisons reduced to what figures and a threshold slider need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.fairness.assess import everyone
from fairface.scoring.fairness.grouping import Groups, group_images, groupings
from fairface.scoring.fairness.threshold_grid import DEFAULT_THRESHOLDS, threshold_grid
from fairface.scoring.fairness.threshold_table import ThresholdTable, threshold_table
from fairface.scoring.score_histogram import ScoreHistogram, score_histogram

EVERYONE = "all"
SETS = "set"
Scored = tuple[NDArray[np.float64], Comparisons]


@dataclass(frozen=True)
class ScoreSummary:
    """Rates at many thresholds and histograms: of all comparisons together, and by each grouping.

    Attributes:
        tables, histograms: keyed by the grouping's name, in one order; the first, ``all``, is one group of everybody.
            All share the same thresholds and the same edges.
    """

    tables: dict[str, ThresholdTable]
    histograms: dict[str, ScoreHistogram]

    @property
    def groupings(self) -> list[str]:
        """The names without ``all``."""
        return [name for name in self.tables if name != EVERYONE]


def summarise_scores(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    attributes: Sequence[str],
    threshold: float,
    level: float = 0.95,
    size: int = DEFAULT_THRESHOLDS,
) -> ScoreSummary:
    """``scores (M,)`` by each of ``attributes`` and by all of them together; there may be none.

    Args:
        threshold: the one in use.
        level: of the intervals over subjects.
        size: thresholds at most.

    Raises:
        DataError: an unknown attribute, one called ``all``, or subjects that contradict the truth.
    """
    if EVERYONE in attributes:
        raise DataError(f"an attribute is called {EVERYONE}, which stands for everybody here; give it another name")
    values = np.asarray(scores, np.float64)
    finite = np.isfinite(values)
    grid = threshold_grid(values[finite], comparisons.same[finite], threshold, size)
    sets = [everyone(comparisons)]
    sets += [group_images(comparisons, names) for names in groupings(attributes)] if attributes else []
    tables = {of.name: threshold_table(values, comparisons, of, grid, threshold, level) for of in sets}
    histograms = {
        of.name: score_histogram(values, comparisons.same, _within(of, comparisons), of.labels) for of in sets
    }
    return ScoreSummary(tables, histograms)


def summarise_sets(
    sets: Mapping[str, Scored], threshold: float, level: float = 0.95, size: int = DEFAULT_THRESHOLDS
) -> ScoreSummary:
    """Several sets of finite scores in place of groups, at thresholds that all share; the one entry is ``set``.

    Args:
        sets: scores (M,) and comparisons of each, by name.
        threshold: the one in use.
        level: of the intervals over subjects.
        size: thresholds at most.

    Raises:
        DataError: subjects that contradict the truth.
    """
    scores = np.concatenate([values for values, _ in sets.values()])
    same = np.concatenate([comparisons.same for _, comparisons in sets.values()])
    grid = threshold_grid(scores, same, threshold, size)
    each = [threshold_table(values, of, everyone(of), grid, threshold, level) for values, of in sets.values()]
    names = tuple(sets)
    table = ThresholdTable(
        SETS, names, grid, each[0].operating, tuple(of.fmr[0] for of in each), tuple(of.fnmr[0] for of in each), level
    )
    of_set = np.repeat(np.arange(len(names)), [len(values) for values, _ in sets.values()])
    return ScoreSummary({SETS: table}, {SETS: score_histogram(scores, same, of_set, names)})


def _within(groups: Groups, comparisons: Comparisons) -> NDArray[np.int64]:
    """(M,) the group of both images; -1 where they differ or one is unknown."""
    of_a, of_b = groups.of_image[comparisons.a], groups.of_image[comparisons.b]
    return np.where(of_a == of_b, of_a, -1)
