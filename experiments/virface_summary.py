"""What the arms of experiments/virface.py say: rates by seed, differences paired by seed, and the trials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from paired_differences import MEASURES, Scores, differences
from paired_rounds import ROUNDS
from virface_arms import LABELED, VIRCLASS, VIRFACE, Arm, Work

from fairface.errors import DataError

TITLES = {LABELED: "labeled only", VIRCLASS: "VirClass", VIRFACE: "VirFace"}
PAIRS = ((VIRCLASS, LABELED), (VIRFACE, LABELED), (VIRFACE, VIRCLASS))


def summarise(work: Work, trials: Sequence[Arm], seeds: Sequence[int], rounds: int = ROUNDS) -> dict[str, Any]:
    """Each way's measures by seed, the differences, and the trials; JSON-ready. Arms without a result are named.

    Raises:
        DataError: seeds of one way that were trained with different settings.
    """
    comparisons = work.comparisons("test")
    wanted = {way: {seed: Arm(way, seed).name for seed in seeds} for way in TITLES}
    there = {
        way: {seed: name for seed, name in names.items() if (work.out / f"{name}.json").is_file()}
        for way, names in wanted.items()
    }
    ways = {}
    for way, names in there.items():
        results = [_result(work, name) for name in names.values()]
        if len({tuple(one["settings"]) for one in results}) > 1:
            raise DataError(f"{work.out}: the seeds of {way} have different settings; delete these arms' JSON files")
        rows = [[one["measures"][measure] for measure in MEASURES] for one in results]
        ways[way] = {"seeds": list(names), "settings": results[0]["settings"] if results else [], "measures": rows}
    scores = {way: {seed: _scores(work, name) for seed, name in names.items()} for way, names in there.items()}
    people = np.concatenate([comparisons.subject_a, comparisons.subject_b])
    done = [trial for trial in trials if (work.out / f"{trial.name}.json").is_file()]
    return {
        "seeds": list(seeds), "people": len(np.unique(people)), "genuine": comparisons.genuine,
        "impostor": comparisons.impostor, "ways": ways,
        "differences": differences(scores, PAIRS, comparisons, rounds=rounds),
        "trials": [_result(work, trial.name) for trial in done],
        "missing": [trial.name for trial in trials if trial not in done]
        + [name for way, names in wanted.items() for seed, name in names.items() if seed not in there[way]],
    }  # fmt: skip


def _result(work: Work, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((work.out / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _scores(work: Work, name: str) -> Scores:
    with np.load(work.out / f"{name}.npz", allow_pickle=False) as stored:
        return np.asarray(stored["scores"], np.float64)
