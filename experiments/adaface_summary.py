"""What the arms of experiments/adaface.py say: rates by seed, differences paired by seed, intervals over subjects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from paired_differences import Scores, differences, measures
from paired_rounds import ROUNDS

from fairface.comparisons import Comparisons
from fairface.embedding.store import load_embeddings
from fairface.errors import DataError

HEADS = {"adaface": "AdaFace", "arcface": "ArcFace", "cosface": "CosFace"}
SCRATCH, TUNED, MODEL = "scratch", "tuned", "model"
KINDS = {SCRATCH: "from scratch", TUNED: "finetuned"}
CONDITIONS = {"clean": "clean", "degraded": "degraded", "mixed": "clean against degraded"}
# What is compared with what, per condition: each pair with the same seeds.
PAIRS = tuple(
    [(f"{kind}_adaface", f"{kind}_{other}") for kind in KINDS for other in ("arcface", "cosface")]
    + [(f"{TUNED}_{head}", MODEL) for head in HEADS]
)
TITLES = {f"{kind}_{head}": f"{title} {told}" for kind, told in KINDS.items() for head, title in HEADS.items()}
TITLES[MODEL] = "the model, unchanged"


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
    for way, names in runs.items():
        lengths = [length_tells(out, name) for name in names.values()]
        found["ways"][way]["length"] = [length for length in lengths if length is not None]
    for condition in CONDITIONS:
        scores = {
            way: {seed: _scores(out, name, condition) for seed, name in names.items()} for way, names in runs.items()
        }
        for way, of_runs in scores.items():
            found["ways"][way][condition] = [measures(one, comparisons) for one in of_runs.values()]
        entries = differences(scores, PAIRS, comparisons, (MODEL,), rounds)
        found["differences"] += [{"condition": condition, **entry} for entry in entries]
    found["differences"].sort(key=lambda entry: PAIRS.index((entry["after"], entry["before"])))
    return found


def length_tells(out: Path, name: str) -> float | None:
    """How often a clean photograph's embedding is longer than a degraded one's, over all pairs of photographs; None
    where the arm's embeddings are not there. AdaFace takes length for quality."""
    files = [out / "embeddings" / f"{name}_{quality}.npz" for quality in ("clean", "degraded")]
    if not all(file.is_file() for file in files):
        return None
    clean, degraded = (np.linalg.norm(load_embeddings(file).embeddings.astype(np.float64), axis=1) for file in files)
    ordered = np.sort(degraded)
    below, up_to = (np.searchsorted(ordered, clean, side=side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(degraded)))


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
