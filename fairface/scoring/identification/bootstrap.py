"""Confidence intervals of rank-k and TPIR over the probes' subjects; the gallery stays as it is.

Searches of one subject are not independent, so subjects are drawn with replacement: one that is drawn w times brings
its searches w times; the interval is Wilson's with the variance over the draws (:mod:`fairface.scoring.bootstrap`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairface.scoring.bootstrap import share_interval, subject_draws
from fairface.scoring.identification.measures import tpir_at_fpir
from fairface.scoring.identification.search import Searches
from fairface.scoring.measure import Interval


def identification_intervals(
    found: Searches, ranks: Sequence[int], fpirs: Sequence[float], rounds: int, level: float, seed: int
) -> dict[str, Interval]:
    """Intervals keyed "rank-1" and "tpir@0.01".

    A round without mated searches, or without non-mated ones for TPIR, is left out and not counted in
    ``Interval.rounds``.
    """
    subjects, codes = np.unique(found.subjects, return_inverse=True)
    mated = np.flatnonzero(found.mated)
    non_mated = np.flatnonzero(~found.mated)
    non_mated = non_mated[np.argsort(-found.top_other[non_mated], kind="stable")]
    hits = np.flatnonzero(found.rank == 1)
    hits = hits[np.argsort(-found.mate_score[hits], kind="stable")]
    # Mated searches that succeed when the threshold lies just above a non-mated search's score.
    kept = np.searchsorted(-found.mate_score[hits], -found.top_other[non_mated], side="left")
    keys = [*(f"rank-{rank}" for rank in ranks), *(f"tpir@{target:g}" for target in fpirs)]
    measured: dict[str, list[float]] = {key: [] for key in keys}
    within = {rank: (found.rank[mated] <= rank).astype(np.float64) for rank in ranks}
    for drawn in subject_draws(len(subjects), rounds, seed):
        weights = drawn[codes].astype(np.float64)
        total = float(weights[mated].sum())
        if total == 0.0:
            continue
        for rank in ranks:
            measured[f"rank-{rank}"].append(float(within[rank] @ weights[mated]) / total)
        false = np.cumsum(weights[non_mated])
        if len(false) == 0 or false[-1] == 0.0:
            continue
        found_weight = np.concatenate([[0.0], np.cumsum(weights[hits])])
        for target in fpirs:
            too_many = int(np.searchsorted(false / false[-1], target, side="right"))
            measured[f"tpir@{target:g}"].append(float(found_weight[kept[too_many]]) / total)
    values = {f"rank-{rank}": float(of.mean()) for rank, of in within.items()}
    values |= {f"tpir@{target:g}": tpir_at_fpir(found, target).tpir for target in fpirs}
    people = len(np.unique(codes[mated]))
    return {key: share_interval(values[key], np.array(of), level, people) for key, of in measured.items() if of}
