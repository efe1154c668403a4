"""What the arms of experiments/adaface.py say: rates by seed, differences paired by seed, intervals over subjects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paired_rounds import ROUNDS, interval, measure_rounds, verdict

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.roc import auc, roc_curve, tar_at_fmr

HEADS = {"adaface": "AdaFace", "arcface": "ArcFace", "cosface": "CosFace"}
SCRATCH, TUNED, MODEL = "scratch", "tuned", "model"
KINDS = {SCRATCH: "from scratch", TUNED: "finetuned"}
CONDITIONS = {"clean": "clean", "degraded": "degraded", "mixed": "clean against degraded"}
TARGETS = (1e-2, 1e-3)
MEASURES = ("AUC", *(f"TAR at FMR {target:g}" for target in TARGETS))
# What is compared with what, per condition: each pair with the same seeds.
PAIRS = tuple(
    [(f"{kind}_adaface", f"{kind}_{other}") for kind in KINDS for other in ("arcface", "cosface")]
    + [(f"{TUNED}_{head}", MODEL) for head in HEADS]
)
TITLES = {f"{kind}_{head}": f"{title} {told}" for kind, told in KINDS.items() for head, title in HEADS.items()}
TITLES[MODEL] = "the model, unchanged"
Scores = NDArray[np.float64]


def summarise(out: Path, comparisons: Comparisons, seeds: Sequence[int], rounds: int = ROUNDS) -> dict[str, Any]:
    """Each way's AUC and TAR by seed, and the differences; JSON-ready. Arms without a file in ``out`` are named."""
    wanted = {way: {0: way} if way == MODEL else {seed: f"{way}_{seed}" for seed in seeds} for way in TITLES}
    runs = {
        way: {seed: name for seed, name in names.items() if (out / f"{name}.json").is_file()}
        for way, names in wanted.items()
    }
    people = np.concatenate([comparisons.subject_a, comparisons.subject_b])
    found: dict[str, Any] = {
        "seeds": list(seeds), "people": len(np.unique(people)), "genuine": comparisons.genuine,
        "impostor": comparisons.impostor, "choice": _choice(out), "differences": [],
        "missing": [name for way, names in wanted.items() for seed, name in names.items() if seed not in runs[way]],
        "ways": {way: _settings(out, list(names.values())) | {"seeds": list(names)} for way, names in runs.items()},
    }  # fmt: skip
    for condition in CONDITIONS:
        scores = {
            way: {seed: _scores(out, name, condition) for seed, name in names.items()} for way, names in runs.items()
        }
        for way, of_runs in scores.items():
            found["ways"][way][condition] = [_measures(one, comparisons) for one in of_runs.values()]
        found["differences"] += _differences(scores, comparisons, condition, rounds)
    found["differences"].sort(key=lambda entry: PAIRS.index((entry["after"], entry["before"])))
    return found


def _settings(out: Path, names: Sequence[str]) -> dict[str, Any]:
    arms = [json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in names]
    margins = {arm["margin"] for arm in arms}
    if len(margins) > 1:
        raise DataError(f"{out}: {names[0]} and its other seeds have different margins; delete these arms' JSON files")
    return {"margin": margins.pop() if margins else None}


def _choice(out: Path) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("choice_*.json"))]
    return [{key: one[key] for key in ("head", "margin", "auc")} for one in found]


def _scores(out: Path, name: str, condition: str) -> Scores:
    with np.load(out / f"{name}.npz", allow_pickle=False) as stored:
        return np.asarray(stored[condition], np.float64)


def _measures(scores: Scores, comparisons: Comparisons) -> list[float]:
    roc = roc_curve(scores, comparisons.same)
    return [auc(roc), *(tar_at_fmr(roc, target).value for target in TARGETS)]


def _differences(
    scores: Mapping[str, Mapping[int, Scores]], comparisons: Comparisons, condition: str, number: int
) -> list[dict[str, Any]]:
    """Of every pair of ways, over the seeds that both have."""
    result = []
    wanted: dict[tuple[int, ...], list[tuple[str, str]]] = {}
    for one, other in PAIRS:
        shared = tuple(seed for seed in scores[one] if other == MODEL or seed in scores[other])
        if shared and scores[other]:
            wanted.setdefault(shared, []).append((one, other))
    for seeds, pairs in wanted.items():
        names = dict.fromkeys(way for pair in pairs for way in pair)
        ways = {way: [scores[way][0]] if way == MODEL else [scores[way][seed] for seed in seeds] for way in names}
        rounds = measure_rounds(ways, comparisons, TARGETS, number)
        measured = {way: np.array([_measures(run, comparisons) for run in runs]) for way, runs in ways.items()}
        for one, other in pairs:
            for place, measure in enumerate(MEASURES):
                low, high = interval(rounds[one][:, place] - rounds[other][:, place])
                by_seed = measured[one][:, place] - measured[other][:, place]
                result.append({
                    "after": one, "before": other, "condition": condition, "measure": measure, "seeds": list(seeds),
                    "value": float(by_seed.mean()), "low": low, "high": high, "verdict": verdict(low, high),
                    "by_seed": by_seed.tolist(),
                })  # fmt: skip
    return result
