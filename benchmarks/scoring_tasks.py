"""What scoring.py measures: each task by us and by plain loops, with the seconds of its steps and its results."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import numpy as np
import scoring_loops as loops
from scoring_data import IjbSizes, Pairs, ijb_like, verification_pairs

from fairface.scoring.dense_pairs import listed_cosines
from fairface.scoring.identification import Gallery, identify
from fairface.scoring.kfold import kfold_accuracy, val_at_far
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.tar_table import tar_table
from fairface.scoring.templates import pool_templates

OURS, LOOP = "ours", "plain loops"
Timed = tuple[dict[str, float], dict[str, Any]]  # seconds by step, and results to compare


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self.before = time.perf_counter()

    def note(self, step: str) -> None:
        now = time.perf_counter()
        self.steps[step] = self.steps.get(step, 0.0) + now - self.before
        self.before = now


def one_to_one_ours(args: Namespace) -> Timed:
    data = ijb_like(sizes(args))
    clock = Clock()
    templates = pool_templates(data.features, data.templates, data.media)
    clock.note("pooling")
    scores = listed_cosines(templates.features, data.a, data.b)
    clock.note("pairs")
    result = tar_table(scores, data.same)
    clock.note("TAR")
    return clock.steps, {"auc": result.auc, "tar": [row.tar_nearest for row in result.rows]}


def one_to_one_loops(args: Namespace) -> Timed:
    data = ijb_like(sizes(args))
    clock = Clock()
    templates = loops.pool(data.features, data.templates, data.media)
    clock.note("pooling")
    scores = loops.pair_scores(templates, data.a, data.b)
    clock.note("pairs")
    area, tar = loops.tar_at_nearest_far(scores, data.same)
    clock.note("TAR")
    return clock.steps, {"auc": area, "tar": tar}


def one_to_many_ours(args: Namespace) -> Timed:
    data = ijb_like(sizes(args))
    clock = Clock()
    templates = pool_templates(data.features, data.templates, data.media).features
    clock.note("pooling")
    results: dict[str, Any] = {}
    for name, part in data.galleries.items():
        gallery = Gallery(templates[part], data.subjects[part])
        found = identify(templates[data.gallery :], data.subjects[data.gallery :], gallery)
        results[name] = {"ranks": list(found.ranks.values()), "tpir": [row.tpir for row in found.open_set]}
    clock.note("search")
    return clock.steps, results


def one_to_many_loops(args: Namespace) -> Timed:
    data = ijb_like(sizes(args))
    clock = Clock()
    templates = loops.pool(data.features, data.templates, data.media)
    clock.note("pooling")
    results = {
        name: loops.identification(
            templates[data.gallery :], data.subjects[data.gallery :], templates[part], data.subjects[part]
        )
        for name, part in data.galleries.items()
    }
    clock.note("search")
    return clock.steps, results


def ten_fold_ours(args: Namespace) -> Timed:
    embeddings, same = verification_pairs(args.verification_pairs, args.dimensions)

    def once(clock: Clock) -> dict[str, Any]:
        scores = cosine_scores(embeddings, np.arange(0, len(embeddings), 2), np.arange(1, len(embeddings), 2))
        clock.note("distances")
        accuracy = kfold_accuracy(scores, same)
        clock.note("accuracy")
        val = val_at_far(scores, same)
        clock.note("VAL")
        return {"accuracies": accuracy.accuracies.tolist(), "val": val.val, "far": val.far}

    once(Clock())  # what is done once in a process, such as starting BLAS's threads, is no part of it
    clock = Clock()
    results = once(clock)
    return clock.steps, results


def ten_fold_loops(args: Namespace) -> Timed:
    embeddings, same = verification_pairs(args.verification_pairs, args.dimensions)
    clock = Clock()
    distances = loops.distances(embeddings)
    clock.note("distances")
    accuracies = loops.fold_accuracies(distances, same)
    clock.note("accuracy")
    val, far = loops.val_at_far(distances, same)
    clock.note("VAL")
    return clock.steps, {"accuracies": accuracies, "val": val, "far": far}


TASKS: dict[str, dict[str, Callable[[Namespace], Timed]]] = {
    "1:1": {OURS: one_to_one_ours, LOOP: one_to_one_loops},
    "1:N": {OURS: one_to_many_ours, LOOP: one_to_many_loops},
    "10-fold": {OURS: ten_fold_ours, LOOP: ten_fold_loops},
}


def sizes(args: Namespace) -> IjbSizes:
    return IjbSizes(
        args.images, args.gallery, args.probes, Pairs(args.pairs, args.genuine, args.any_two), args.dimensions
    )
