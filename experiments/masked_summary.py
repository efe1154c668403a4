"""What the arms of experiments/masks.py and experiments/uda.py say: rates by seed, differences paired by seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from masked_arms import CONDITIONS, RETRIEVAL, Arm, Work
from numpy.typing import NDArray
from paired_differences import differences
from paired_rounds import ROUNDS, interval, verdict

from fairface.scoring.bootstrap import subject_draws

Stored = dict[str, NDArray[Any]]


def summarise(
    work: Work, arms: Sequence[Arm], trials: Sequence[Arm], pairs: Sequence[tuple[str, str]],
    fixed: Sequence[str] = (), rounds: int = ROUNDS,
) -> dict[str, Any]:  # fmt: skip
    """Each way's measures by seed, the differences of ``pairs`` of ways, and the trials; JSON-ready.

    Arms without a result are named. ``fixed``: ways that do not depend on a seed.
    """
    comparisons = work.comparisons("test")
    there = [arm for arm in arms if (work.out / f"{arm.name}.json").is_file()]
    stored: dict[str, dict[int, Stored]] = {arm.way: {} for arm in arms}
    ways: dict[str, dict[str, Any]] = {arm.way: {"seeds": [], "measures": [], "retrieval": []} for arm in arms}
    for arm in there:
        result, way = _result(work, arm), ways[arm.way]
        way["seeds"].append(arm.seed)
        way["measures"].append(result["measures"])
        way["retrieval"].append(result["retrieval"])
        stored[arm.way][arm.seed] = _stored(work, arm)
    found = []
    for condition in CONDITIONS:
        scores = {way: {seed: of[condition] for seed, of in runs.items()} for way, runs in stored.items()}
        of = differences(scores, pairs, comparisons, fixed, rounds)
        found += [{"condition": condition, **entry} for entry in of]
    people = np.concatenate([comparisons.subject_a, comparisons.subject_b])
    done = [trial for trial in trials if (work.out / f"{trial.name}.json").is_file()]
    first = next((next(iter(runs.values())) for runs in stored.values() if runs), None)
    return {
        "people": len(np.unique(people)), "genuine": comparisons.genuine, "impostor": comparisons.impostor,
        "queries": 0 if first is None else int((first["first_rank"] > 0).sum()),
        "ways": ways, "differences": [*found, *_retrieval_differences(stored, pairs, fixed, rounds)],
        "trials": [{"name": trial.trial, **_result(work, trial)} for trial in done],
        "missing": [arm.name for arm in (*trials, *arms) if arm not in there and arm not in done],
    }  # fmt: skip


def _retrieval_differences(
    stored: Mapping[str, Mapping[int, Stored]], pairs: Sequence[tuple[str, str]], fixed: Sequence[str], rounds: int
) -> list[dict[str, Any]]:
    """As :func:`differences`, of mAP and rank 1: the queries' people are drawn, the gallery stays as it is."""
    result = []
    for one, other in pairs:
        seeds = [seed for seed in stored[one] if stored[other] and (other in fixed or seed in stored[other])]
        for measure in RETRIEVAL if seeds else ():
            gaps, people = [], np.zeros(0, np.int64)
            for seed in seeds:
                after, before = stored[one][seed], stored[other][0 if other in fixed else seed]
                shown = after["first_rank"] > 0
                gaps.append((_values(after, measure) - _values(before, measure))[shown])
                people = after["subjects"][shown]
            low, high = interval(_drawn_means(np.mean(gaps, axis=0), people, rounds))
            by_seed = [float(gap.mean()) for gap in gaps]
            result.append({
                "condition": "retrieval", "after": one, "before": other, "measure": measure, "seeds": seeds,
                "value": float(np.mean(by_seed)), "low": low, "high": high, "verdict": verdict(low, high),
                "by_seed": by_seed,
            })  # fmt: skip
    return result


def _values(of: Stored, measure: str) -> NDArray[np.float64]:
    return of["precision"] if measure == RETRIEVAL[0] else (of["first_rank"] == 1).astype(np.float64)


def _drawn_means(values: NDArray[np.float64], people: NDArray[np.int64], rounds: int) -> NDArray[np.float64]:
    """(R,): means of ``values`` (Q,) with the people that the queries show drawn with replacement."""
    codes = np.unique(people, return_inverse=True)[1]
    counts, sums = np.bincount(codes).astype(np.float64), np.bincount(codes, values)
    return np.array([sums @ drawn / (counts @ drawn) for drawn in subject_draws(len(counts), rounds, 0)])


def _result(work: Work, arm: Arm) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((work.out / f"{arm.name}.json").read_text(encoding="utf-8"))
    return found


def _stored(work: Work, arm: Arm) -> Stored:
    with np.load(work.out / f"{arm.name}.npz", allow_pickle=False) as stored:
        return {key: np.asarray(stored[key]) for key in stored.files}
