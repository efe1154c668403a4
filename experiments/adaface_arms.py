"""One arm of experiments/adaface.py: how it is trained and what it is scored on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lfw_arms
import numpy as np
from adaface_summary import MODEL, TUNED
from fairness import ROOT, call
from lfw_arms import run_training
from numpy.typing import NDArray

from fairface.cli import tell
from fairface.embedding.store import load_embeddings
from fairface.errors import DataError
from fairface.files import write_json
from fairface.scoring.roc import auc, roc_curve
from fairface.scoring.similarity import cosine_scores

MARGIN_KEYS = {"adaface": "head.options.m", "arcface": "head.m2", "cosface": "head.m3"}
MARGINS = {"adaface": (0.2, 0.4), "arcface": (0.25, 0.5), "cosface": (0.2, 0.35)}  # the second is the published one
# The published 0.01 takes hundreds of steps to forget its first guess of the deviation; these runs have no more.
QUICK_STATISTICS = "head.options.t_alpha=0.1"
CHOICE_STEPS = 312


@dataclass(frozen=True)
class Arm:
    """One run and what is scored with it.

    Attributes:
        kind: ``choice``, ``scratch``, ``tuned``, or ``model``: nothing is trained.
        head: name of the head; empty for ``model``.
        seed: seed of the run; pairs the arms.
        margin: the head's margin.
    """

    kind: str
    head: str = ""
    seed: int = 0
    margin: float = 0.0

    @property
    def name(self) -> str:
        """``scratch_adaface_0``, ``choice_arcface_0.25``, ``model``."""
        last = f"{self.margin:g}" if self.kind == "choice" else str(self.seed)
        return "_".join((self.kind, self.head, last)) if self.head else self.kind

    @property
    def split(self) -> str:
        """The people whom the arm is scored on."""
        return "validation" if self.kind == "choice" else "test"


class Work(lfw_arms.Work):
    """Where data, results and runs are."""

    def folder(self, split: str, quality: str) -> Path:
        """The aligned photographs of ``split``, ``clean`` or ``degraded``."""
        return self.lfw / "aligned" / split if quality == "clean" else self.out / "degraded" / split


def train(arm: Arm, work: Work) -> str:
    """Train ``arm``, or go on with it; returns the checkpoint that is scored."""
    if arm.kind == MODEL:
        return work.model
    words = [f"data.path={work.lfw / 'base'}", f"head.name={arm.head}", f"{MARGIN_KEYS[arm.head]}={arm.margin}"]
    words += [QUICK_STATISTICS] if arm.head == "adaface" else []
    words += [f"start_from={work.model}"] if arm.kind == TUNED else []
    words += [f"steps={CHOICE_STEPS}"] if arm.kind == "choice" else []
    config = "lfw_adaface_tune.yaml" if arm.kind == TUNED else "lfw_adaface.yaml"
    return run_training(config, arm.name, arm.seed, words, work)


def rows_of(path: Path, names: Sequence[str]) -> NDArray[np.float32]:
    """``(N, D)`` embeddings of ``names`` in the file ``path``, whichever suffix the photographs have there.

    Raises:
        DataError: a photograph has none.
    """
    stored = load_embeddings(path)
    places = {str(Path(name).with_suffix("")): row for row, name in enumerate(stored.names)}
    wanted = [str(Path(name).with_suffix("")) for name in names]
    missing = [name for name in wanted if name not in places]
    if missing:
        raise DataError(f"{path}: {len(missing)} photographs have no embedding ({missing[0]} first); delete the file")
    return stored.embeddings[[places[name] for name in wanted]]


def embedded(checkpoint: str, folder: Path, file: Path, name: str, photographs: Sequence[str]) -> NDArray[np.float32]:
    """``(N, D)`` embeddings of ``photographs`` below ``folder`` by ``checkpoint``, kept in ``file``; ``name`` is the
    arm's."""
    file.parent.mkdir(exist_ok=True)
    call([str(ROOT / "test" / "embed.py"), checkpoint, "--data", str(folder), "--output", str(file)], name)
    return rows_of(file, photographs)


def scores_of(checkpoint: str, arm: Arm, work: Work) -> dict[str, NDArray[np.float64]]:
    """(M,) cosines of the split's pairs: both photographs clean, both degraded, the second one degraded."""
    comparisons = work.comparisons(arm.split)
    rows = {}
    for quality in ("clean", "degraded"):
        file = work.out / "embeddings" / f"{arm.name}_{quality}.npz"
        rows[quality] = embedded(checkpoint, work.folder(arm.split, quality), file, arm.name, comparisons.names)
    a, b = comparisons.a, comparisons.b
    both = np.concatenate([rows["clean"], rows["degraded"]])
    return {
        "clean": cosine_scores(rows["clean"], a, b),
        "degraded": cosine_scores(rows["degraded"], a, b),
        "mixed": cosine_scores(both, a, b + len(comparisons.names)),
    }


def make(arm: Arm, work: Work) -> dict[str, Any]:
    """Train and score one arm, or read what it gave before."""
    path = work.out / f"{arm.name}.json"
    if path.is_file():
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return result
    began = time.monotonic()
    scores = scores_of(train(arm, work), arm, work)
    same = work.comparisons(arm.split).same
    result = {
        "kind": arm.kind, "head": arm.head, "seed": arm.seed, "margin": arm.margin,
        "auc": {name: auc(roc_curve(values, same)) for name, values in scores.items()},
        "seconds": time.monotonic() - began,
    }  # fmt: skip
    np.savez(work.out / f"{arm.name}.npz", **scores)  # type: ignore[arg-type]
    write_json(path, result)
    tell([f"{arm.name}: {result['seconds']:.0f} s"])
    return result
