"""One-to-one verification of all pairs of images, however many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.all_pairs.layout import Layout
from fairface.scoring.all_pairs.placements import placements
from fairface.scoring.all_pairs.roc import auc_bound, roc_of
from fairface.scoring.all_pairs.scan import Watch, count_scores, unwatched
from fairface.scoring.all_pairs.spread import auc_interval, by_subject, tar_interval
from fairface.scoring.all_pairs.windows import Inside, look_into, window_of_eer, window_of_fmr
from fairface.scoring.measure import Interval
from fairface.scoring.roc import Roc, auc, eer, tar_at_fmr, threshold_at_fmr
from fairface.scoring.verification import DEFAULT_FMR, VerificationResult, check_fmr, fmr_key

NO_ACCURACY = "all pairs hold far more impostors than genuine pairs: accuracy would be the share of impostors"


@dataclass(frozen=True)
class AllPairsVerification:
    """The result, its ROC (exact at the EER and the asked-for FMRs, else on a fine grid), and how far the AUC may be
    from that of sorted scores."""

    result: VerificationResult
    curve: Roc
    auc_error: float


def verify_all(
    embeddings: NDArray[np.floating],
    subjects: NDArray[np.integer],
    fmr: Sequence[float] = DEFAULT_FMR,
    intervals: bool = False,
    level: float = 0.95,
    watch: Watch = unwatched,
) -> AllPairsVerification:
    """Score every pair of ``embeddings (N, D)`` of images of ``subjects (N,)`` by its cosine.

    TAR, its threshold and the EER are those of sorting every score. Memory does not grow with the number of pairs.

    Args:
        fmr: FMRs at which TAR is given.
        intervals: adds confidence intervals over subjects, in closed form (:mod:`.spread`).
        level: of the intervals.
        watch: shows progress.

    Raises:
        DataError: see :meth:`fairface.scoring.all_pairs.layout.Layout.of`; an FMR outside (0, 1).
    """
    check_fmr(fmr)
    layout = Layout.of(embeddings, subjects)
    histogram = count_scores(layout, watch=watch)[0]
    reachable = [target for target in fmr if layout.impostor >= math.ceil(1.0 / target - 1e-9)]
    windows = [window_of_eer(histogram), *(window_of_fmr(histogram, target) for target in reachable)]
    inside = look_into(windows, layout, embeddings, intervals, watch)
    roc = roc_of(histogram, windows, inside, layout.margin)
    reasons = {"accuracy": NO_ACCURACY}
    tar = {}
    for target in fmr:
        measured = tar_at_fmr(roc, target)
        tar[fmr_key(target)] = measured.value
        if measured.reason:
            reasons[f"tar@{fmr_key(target)}"] = measured.reason
    found: dict[str, Interval] = {}
    if intervals:
        placed = placements(layout, histogram, auc(roc), watch)
        found["auc"] = auc_interval(layout, auc(roc), placed, level)
        for target, of in zip(reachable, inside[1:], strict=True):
            found[f"tar@{fmr_key(target)}"] = _tar_interval(layout, roc, target, of, level)
    result = VerificationResult(
        n_genuine=layout.genuine, n_impostor=layout.impostor, subjects=layout.subjects, duplicates=0, auc=auc(roc),
        eer=eer(roc), accuracy=math.nan, accuracy_std=math.nan, folds=0, threshold=math.nan, tar=tar, reasons=reasons,
        intervals=found,
    )  # fmt: skip
    return AllPairsVerification(result, roc, auc_bound(histogram))


def _tar_interval(layout: Layout, roc: Roc, target: float, inside: Inside, level: float) -> Interval:
    threshold = threshold_at_fmr(roc, target)
    matches = by_subject(layout, inside.images_at(threshold))
    rate = matches[1].sum() / 2 / layout.impostor
    return tar_interval(layout, roc, matches, inside.residual_squares(rate, layout.node_sizes), level)
