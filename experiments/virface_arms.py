"""One arm of experiments/virface.py: how it is trained and what it is scored on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adaface_arms
import numpy as np
from adaface_arms import Arm as FromScratch
from adaface_arms import embedded
from adaface_summary import SCRATCH
from lfw_arms import OfTrial, run_training
from paired_differences import MEASURES, measures

from fairface.cli import tell
from fairface.files import atomic_write, write_json
from fairface.scoring.similarity import cosine_scores

LABELED, GENERATOR, VIRCLASS, VIRFACE = "labeled", "generator", "virclass", "virface"
STAGES = {LABELED: "pretrain", GENERATOR: "generator", VIRCLASS: "virclass", VIRFACE: "virface"}
WHOLE, EARLY, FEW = "whole", "early", "few"
MARGIN = 0.25
STEPS, TRIAL_STEPS, EARLY_STEPS = 200, 100, 312
FEW_PEOPLE = 200


@dataclass(frozen=True)
class Arm(OfTrial):
    """One run after the net from scratch, and what is scored with it.

    Attributes:
        way: ``labeled``, ``virclass``, ``virface``; ``generator`` is a stage before ``virface`` and is not scored.
        seed: seed of the run and of the net that it starts from; pairs the arms.
        trial: name of a trial; empty for an arm that is judged on the test people.
        start: the net it starts from: ``whole`` (60,000 image passes), ``early`` (20,000), ``few`` (20,000, on the
            first 200 of the people).
        settings: further settings ``key=value``.
    """

    way: str
    seed: int = 0
    trial: str = ""
    start: str = WHOLE
    settings: tuple[str, ...] = field(default=())

    @property
    def steps(self) -> int:
        """Updates after the net from scratch."""
        return TRIAL_STEPS if self.trial else STEPS


class Work(adaface_arms.Work):
    """Where data, results and runs are."""

    def labeled(self, start: str) -> list[str]:
        """Settings that name the labeled data."""
        if start != FEW:
            return [f"data.path={self.lfw / 'base'}"]
        return [f"data.path={self.out / 'few.txt'}", f"data.root={self.lfw / 'aligned' / 'base'}"]


def write_few(work: Work) -> None:
    """The list of the first 200 base people's photographs."""
    people = sorted(path for path in (work.lfw / "aligned" / "base").iterdir() if path.is_dir())[:FEW_PEOPLE]
    with atomic_write(work.out / "few.txt", "w", encoding="utf-8") as file:
        for label, folder in enumerate(people):
            file.writelines(f"{folder.name}/{photo.name} {label}\n" for photo in sorted(folder.glob("*.jpg")))


def start_of(start: str, seed: int, work: Work) -> Path:
    """The run of the net that arms start from."""
    return work.models / (FromScratch(SCRATCH, "arcface", seed).name if start == WHOLE else f"{start}_{seed}")


def generator_of(start: str, seed: int, work: Work) -> Path:
    """The run of VirFace's generator for that net."""
    return work.models / f"generator_{start}_{seed}"


def train_from_scratch(start: str, seed: int, work: Work) -> None:
    """Train the net of :func:`start_of`: the ArcFace arm of experiments/adaface.py; shorter for ``early``, ``few``."""
    if start == WHOLE:
        scratch = FromScratch(SCRATCH, "arcface", seed, MARGIN)
        adaface_arms.train(scratch, work)
        return
    settings = [*work.labeled(start), f"steps={EARLY_STEPS}", "head.name=arcface", f"head.m2={MARGIN}"]
    run_training("lfw_adaface.yaml", start_of(start, seed, work).name, seed, settings, work)


def train_generator(start: str, seed: int, work: Work) -> None:
    """Train the generator of :func:`generator_of`, whose net has been trained."""
    settings = [*work.labeled(start), "stage=generator", f"start_from={start_of(start, seed, work)}", f"steps={STEPS}"]
    name = generator_of(start, seed, work).name
    run_training("lfw_virface.yaml", name, seed, [*settings, "optimizer.lr=0.05"], work)


def train(arm: Arm, work: Work) -> str:
    """Train ``arm``, or go on with it, from runs that have been trained; returns the run that is scored."""
    start = (generator_of if arm.way == VIRFACE else start_of)(arm.start, arm.seed, work)
    unlabeled = [f"sources.unlabeled.data.path={work.lfw / 'single'}"] if arm.way != LABELED else []
    if unlabeled and arm.start == FEW:
        unlabeled.append("sources.unlabeled.data.root=")  # that of the labeled list is not its
    config = "lfw_virface.yaml" if arm.way == LABELED else "lfw_virface_both.yaml"
    settings = [*work.labeled(arm.start), *unlabeled, f"stage={STAGES[arm.way]}", f"start_from={start}"]
    return run_training(config, arm.name, arm.seed, [*settings, f"steps={arm.steps}", *arm.settings], work)


def make(arm: Arm, work: Work) -> dict[str, Any]:
    """Train and score one arm, or read what it gave before."""
    path = work.out / f"{arm.name}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    began = time.monotonic()
    checkpoint = train(arm, work)
    comparisons = work.comparisons(arm.split)
    file = work.out / "embeddings" / f"{arm.name}.npz"
    rows = embedded(checkpoint, work.folder(arm.split, "clean"), file, arm.name, comparisons.names)
    scores = cosine_scores(rows, comparisons.a, comparisons.b)
    measured: Mapping[str, float] = dict(zip(MEASURES, measures(scores, comparisons), strict=True))
    result = {
        "way": arm.way, "seed": arm.seed, "trial": arm.trial, "start": arm.start, "settings": list(arm.settings),
        "steps": arm.steps, "measures": measured, "seconds": time.monotonic() - began,
    }  # fmt: skip
    np.savez(work.out / f"{arm.name}.npz", scores=scores)
    write_json(path, result)
    tell([f"{arm.name}: {result['seconds']:.0f} s"])
    return result
