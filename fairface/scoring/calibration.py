"""Thresholds at fixed FMRs: where they lie on one set of comparisons, and what they cost there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.fairness.counts import count_pairs, node_ends
from fairface.scoring.fairness.rate import cell_interval
from fairface.scoring.fairness.spread import independent_in, spread
from fairface.scoring.operating_point import OVER_COMPARISONS, OVER_SUBJECTS, OperatingPoint
from fairface.scoring.roc import Roc, roc_curve, tar_at_fmr, threshold_at_fmr
from fairface.scoring.verification import fmr_key


def operating_points(
    scores: NDArray[np.floating], comparisons: Comparisons, fmr: Sequence[float], level: float = 0.95
) -> tuple[tuple[OperatingPoint, ...], dict[str, str]]:
    """The operating points at each FMR of ``fmr``, the lowest first, and the reasons of those that cannot be set.

    Args:
        scores: (M,), higher means more alike.
        comparisons: the M comparisons.
        fmr: FMRs between 0 and 1; one needs at least 1 / FMR impostor comparisons.
        level: of the confidence intervals.

    Returns:
        Points, and reasons keyed by the FMR as text.

    Raises:
        DataError: scores from which no rate can be computed, an FMR outside (0, 1), or no point that can be set.
    """
    roc = roc_curve(scores, comparisons.same)
    points, reasons = [], {}
    for target in sorted(set(fmr)):
        if not 0.0 < target < 1.0:
            raise DataError(f"FMR {target!r} cannot be used; it must lie between 0 and 1, such as 0.001")
        threshold = threshold_at_fmr(roc, target)
        reason = tar_at_fmr(roc, target).reason
        if not reason and not math.isfinite(threshold):
            reason = f"the highest score is shared by more than {target:g} of the impostor comparisons"
        if reason:
            reasons[fmr_key(target)] = reason
        else:
            points.append(_point(scores, comparisons, roc, target, threshold, level))
    if not points:
        raise DataError(f"no threshold can be set: {'; '.join(reasons.values())}; use more images or a higher FMR")
    return tuple(points), reasons


def _point(
    scores: NDArray[np.floating], comparisons: Comparisons, roc: Roc, target: float, threshold: float, level: float
) -> OperatingPoint:
    matches = scores >= threshold
    false_matches = int((matches & ~comparisons.same).sum())
    low, high = _over_subjects(matches, comparisons, level)
    over = OVER_SUBJECTS
    if math.isnan(low):
        (low, high), over = exact_interval(false_matches, roc.impostor, level), OVER_COMPARISONS
    missed = int((~matches & comparisons.same).sum())
    return OperatingPoint(
        float(target), float(threshold), false_matches / roc.impostor, low, high, level, over, false_matches,
        roc.impostor, missed / roc.genuine, roc.genuine,
    )  # fmt: skip


def _over_subjects(matches: NDArray[np.bool_], comparisons: Comparisons, level: float) -> tuple[float, float]:
    """The FMR's interval over subjects, NaN where it is undefined: everybody is one group."""
    images = int(max(comparisons.a.max(), comparisons.b.max())) + 1
    nodes, first, second = node_ends(comparisons, np.zeros(images, np.int64), 1)
    counts = count_pairs(nodes, (first, second), matches.astype(np.float64), ~comparisons.same, genuine=False)
    return cell_interval(spread(counts, counts.cell, 1), 0, level, independent_in(counts, counts.cell))


def exact_interval(count: int, total: int, level: float) -> tuple[float, float]:
    """Interval of a rate of independent trials (Clopper and Pearson 1934)."""
    tail = (1.0 - level) / 2.0
    low = float(stats.beta.ppf(tail, count, total - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(1.0 - tail, count + 1, total - count)) if count < total else 1.0
    return low, high
