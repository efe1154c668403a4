"""Ways of training that were run with the same seeds: AUC and TAR of each, and their differences with intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paired_rounds import ROUNDS, interval, measure_rounds, verdict

from fairface.comparisons import Comparisons
from fairface.scoring.roc import auc, roc_curve, tar_at_fmr

TARGETS = (1e-2, 1e-3)
MEASURES = ("AUC", *(f"TAR at FMR {target:g}" for target in TARGETS))
Scores = NDArray[np.float64]


def measures(scores: Scores, comparisons: Comparisons) -> list[float]:
    """The :data:`MEASURES` of one run's scores ``(M,)``."""
    roc = roc_curve(scores, comparisons.same)
    return [auc(roc), *(tar_at_fmr(roc, target).value for target in TARGETS)]


def differences(
    scores: Mapping[str, Mapping[int, Scores]], pairs: Sequence[tuple[str, str]], comparisons: Comparisons,
    fixed: Collection[str] = (), rounds: int = ROUNDS,
) -> list[dict[str, Any]]:  # fmt: skip
    """The first way of each pair less the second, over the seeds that both have; JSON-ready.

    Args:
        scores: way, then seed, to the scores ``(M,)`` of its run.
        pairs: what is compared with what. A pair without a common seed is left out.
        fixed: ways that do not depend on a seed; their one run stands under seed 0.
    """
    wanted: dict[tuple[int, ...], list[tuple[str, str]]] = {}
    for one, other in pairs:
        shared = tuple(seed for seed in scores[one] if other in fixed or seed in scores[other])
        if shared and scores[other]:
            wanted.setdefault(shared, []).append((one, other))
    result = []
    for seeds, of_seeds in wanted.items():
        names = dict.fromkeys(way for pair in of_seeds for way in pair)
        ways = {way: [scores[way][seed] for seed in ((0,) if way in fixed else seeds)] for way in names}
        drawn = measure_rounds(ways, comparisons, TARGETS, rounds)
        measured = {way: np.array([measures(run, comparisons) for run in runs]) for way, runs in ways.items()}
        for one, other in of_seeds:
            for place, measure in enumerate(MEASURES):
                low, high = interval(drawn[one][:, place] - drawn[other][:, place])
                by_seed = measured[one][:, place] - measured[other][:, place]
                result.append({
                    "after": one, "before": other, "measure": measure, "seeds": list(seeds),
                    "value": float(by_seed.mean()), "low": low, "high": high, "verdict": verdict(low, high),
                    "by_seed": by_seed.tolist(),
                })  # fmt: skip
    return result


def told(entry: Mapping[str, Any]) -> str:
    """``+0.0123 [-0.0010, +0.0256]``."""
    return f"{entry['value']:+.4f} [{entry['low']:+.4f}, {entry['high']:+.4f}]"
