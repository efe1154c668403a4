"""One run of experiments/masks.py and experiments/uda.py: how it is trained, and what it is scored on.

Judged are the test people's photographs with and without drawn masks, of styles that no training has seen.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lfw_arms
import numpy as np
from adaface_arms import embedded
from fairness import ROOT, call
from lfw_arms import OfTrial, run_training
from numpy.typing import NDArray
from paired_differences import measures

from fairface.cli import tell
from fairface.files import atomic_write, write_json
from fairface.scoring.retrieval import ImageSet, RetrievalResult, retrieve
from fairface.scoring.similarity import cosine_scores

UNSEEN = ("surgical_green", "kn95", "black")
SEEN = ("surgical_blue", "surgical_white", "n95", "kn95_valve", "cloth", "activated_carbon", "black_pleated")
MASK_SEED = 1
CLEAN, MIXED, BOTH = "clean", "mixed", "both"
CONDITIONS = {CLEAN: "both unmasked", MIXED: "masked against unmasked", BOTH: "both masked"}
RETRIEVAL = ("mAP", "rank 1")


@dataclass(frozen=True)
class Arm(OfTrial):
    """One run.

    Attributes:
        way: what it shows; arms of one way differ by seed.
        config: file of experiments/configs; empty where a model is scored as it is.
        seed: pairs the arms.
        settings: further settings ``key=value``.
        extra: those that make a trial, or that trials have chosen.
        trial: name of a trial, which is scored on the validation people; empty for the others.
    """

    way: str
    config: str = ""
    seed: int = 0
    settings: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    trial: str = ""


class Work(lfw_arms.Work):
    """Where data, results and runs are; all pairs are of photographs that a mask can be drawn on."""

    def folder(self, split: str, masked: bool) -> Path:
        """The aligned photographs of ``split``."""
        return self.out / "masked" / split if masked else self.lfw / "aligned" / split

    def pairs(self, split: str) -> Path:
        """The list that :func:`draw_masks` writes."""
        return self.out / "masked" / f"{split}_pairs.csv"


def draw_masks(work: Work, split: str) -> None:
    """A masked copy of the photographs of ``split``, each in one of the :data:`UNSEEN` styles, and the list of pairs.

    A pair with a photograph on which no mask can be drawn (a profile) is left out and counted.
    """
    source, target, pairs = work.folder(split, False), work.folder(split, masked=True), work.pairs(split)
    if not target.is_dir():
        part = target.with_name(f"{split}.part")
        words = [str(ROOT / "data_process" / "add_masks.py"), str(source), "--output", str(part)]
        call([*words, "--styles", ",".join(UNSEEN), "--seed", str(MASK_SEED)], f"masks on {split}")
        part.rename(target)
    rows = (source / f"{split}_pairs.csv").read_text(encoding="utf-8").splitlines()
    masked = {str(path.relative_to(target).with_suffix("")) for path in target.glob("*/*")}
    kept = [row for row in rows[1:] if all(name.rpartition(".")[0] in masked for name in row.split(",")[:2])]
    if len(kept) < len(rows) - 1:
        tell([f"{split}: {len(rows) - 1 - len(kept)} pairs are left out: no mask can be drawn on a photograph"])
    with atomic_write(pairs, "w", encoding="utf-8") as file:
        file.write("\n".join([rows[0], *kept, ""]))


def train(arm: Arm, work: Work) -> str:
    """Train ``arm``, or go on with it; returns the checkpoint that is scored."""
    if not arm.config:
        return work.model
    return run_training(arm.config, arm.name, arm.seed, [*arm.settings, *arm.extra], work)


def halves(names: list[str]) -> tuple[list[int], list[int]]:
    """Positions of queries and gallery: of each person's photographs every second is a query, from the second on."""
    seen: dict[str, int] = {}
    queries: list[int] = []
    gallery: list[int] = []
    for place in np.argsort(names, kind="stable").tolist():
        person = names[place].split("/")[0]
        (gallery if seen.get(person, 0) % 2 == 0 else queries).append(place)
        seen[person] = seen.get(person, 0) + 1
    return queries, gallery


def retrieved(
    masked: NDArray[np.float32], unmasked: NDArray[np.float32], names: list[str]
) -> tuple[RetrievalResult, NDArray[np.int64]]:
    """Masked queries search unmasked photographs of all people, their own among them but no query's own photograph.

    Returns the result and who each query shows.
    """
    codes = np.unique([name.split("/")[0] for name in names], return_inverse=True)[1]
    queries, gallery = halves(names)
    result = retrieve(ImageSet(masked[queries], codes[queries]), ImageSet(unmasked[gallery], codes[gallery]))
    return result, codes[queries].astype(np.int64)


def scores_of(checkpoint: str, arm: Arm, work: Work) -> dict[str, NDArray[Any]]:
    """By condition the cosines ``(M,)`` of the split's pairs, in ``mixed`` with the first photograph masked; and of
    retrieval ``precision`` (Q,), ``first_rank`` (Q,), ``subjects`` (Q,)."""
    comparisons = work.comparisons(arm.split)
    names, a, b = list(comparisons.names), comparisons.a, comparisons.b
    rows = {}
    for masked in (False, True):
        file = work.out / "embeddings" / f"{arm.name}_{'masked' if masked else 'unmasked'}.npz"
        rows[masked] = embedded(checkpoint, work.folder(arm.split, masked), file, arm.name, names)
    found, subjects = retrieved(rows[True], rows[False], names)
    return {
        CLEAN: cosine_scores(rows[False], a, b),
        MIXED: cosine_scores(np.concatenate([rows[True], rows[False]]), a, b + len(names)),
        BOTH: cosine_scores(rows[True], a, b),
        "precision": found.average_precision, "first_rank": found.first_rank, "subjects": subjects,
    }  # fmt: skip


def make(arm: Arm, work: Work) -> dict[str, Any]:
    """Train and score one arm, or read what it gave before."""
    path = work.out / f"{arm.name}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    began = time.monotonic()
    scores = scores_of(train(arm, work), arm, work)
    comparisons = work.comparisons(arm.split)
    shown = scores["first_rank"] > 0
    result = {
        "way": arm.way, "seed": arm.seed, "trial": arm.trial, "extra": list(arm.extra),
        "measures": {condition: measures(scores[condition], comparisons) for condition in CONDITIONS},
        "retrieval": [float(scores["precision"][shown].mean()), float((scores["first_rank"][shown] == 1).mean())],
        "seconds": time.monotonic() - began,
    }  # fmt: skip
    np.savez(work.out / f"{arm.name}.npz", **scores)
    write_json(path, result)
    tell([f"{arm.name}: {result['seconds']:.0f} s"])
    return result
