"""Time and memory of IJB-C's scoring and of 10-fold verification, beside plain loops that do what the peers do.

The peers' steps are restated from what they compute, not copied: insightface's and AdaFace's IJB programs (pooling
template by template, pair scores in chunks of 100,000, scikit-learn's ROC; searches probe by probe) and their 10-fold
accuracy (threshold by threshold). Both sides get the same random features and must give the same results.

Example: python benchmarks/scoring.py --json
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import scoring_loops as loops
from figures import peak_memory, quotients, ratio_lines, ratios
from scoring_data import IjbSizes, Pairs, ijb_like, verification_pairs

from fairface.cli import parser, print_json, run, table
from fairface.errors import FairfaceError
from fairface.hardware import processor_name, usable_cores
from fairface.scoring.dense_pairs import listed_cosines
from fairface.scoring.identification import Gallery, identify
from fairface.scoring.kfold import kfold_accuracy, val_at_far
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.tar_table import tar_table
from fairface.scoring.templates import pool_templates

OURS, LOOP = "ours", "plain loops"
Timed = tuple[dict[str, float], dict[str, Any]]  # seconds by step, and results to compare


def main(argv: Sequence[str]) -> None:
    options = parser("Time and memory of IJB-C's scoring and of 10-fold verification; each side in its own process.")
    options.add_argument("--images", type=int, default=469_375)
    options.add_argument("--gallery", type=int, default=3_531, help="gallery templates, in two galleries")
    options.add_argument("--probes", type=int, default=19_593, help="probe templates")
    options.add_argument("--pairs", type=int, default=15_658_489)
    options.add_argument("--genuine", type=int, default=19_557, help="of the pairs")
    options.add_argument("--dimensions", type=int, default=512)
    options.add_argument("--any-two", action="store_true", help="pair any two templates, not gallery and probe")
    options.add_argument("--verification-pairs", type=int, default=6_000)
    options.add_argument("--repeats", type=int, default=3, help="rounds; everything is measured once in each")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--measure", choices=TASKS, help="only this task of --side, as JSON")
    options.add_argument("--side", choices=(OURS, LOOP), default=OURS)
    args = options.parse_args(argv)
    if args.measure:
        seconds, results = TASKS[args.measure][args.side](args)
        print_json({"seconds": seconds, "peak_mb": peak_memory(), "results": results})
        return
    turns = [{task: {side: in_new_process(task, side, args) for side in (OURS, LOOP)} for task in TASKS}
             for _ in range(args.repeats)]  # fmt: skip
    for turn in turns:
        for task in TASKS:
            check_same(task, turn[task][OURS]["results"], turn[task][LOOP]["results"])
    show(args, turns)


def show(args: Namespace, turns: list[dict[str, dict[str, dict[str, Any]]]]) -> None:
    readings, rows, found = {}, [], {}
    for task in TASKS:
        sides = {side: [turn[task][side] for turn in turns] for side in (OURS, LOOP)}
        seconds = {side: [sum(one["seconds"].values()) for one in values] for side, values in sides.items()}
        memory = {side: [one["peak_mb"] for one in values] for side, values in sides.items()}
        readings[f"{task}, ours / plain loops"] = quotients(seconds[LOOP], seconds[OURS])
        readings[f"{task}, ours / plain loops, memory"] = quotients(memory[LOOP], memory[OURS])
        for side, values in sides.items():
            steps = {step: median(one["seconds"][step] for one in values) for step in values[0]["seconds"]}
            figures = {"seconds": median(seconds[side]), "range": [min(seconds[side]), max(seconds[side])],
                       "steps": steps, "peak_mb": max(memory[side])}  # fmt: skip
            found[f"{task}, {side}"] = figures
            told = ", ".join(f"{step} {value:.3g}" for step, value in steps.items())
            rows.append([task, side, f"{figures['seconds']:.3g}", f"{figures['peak_mb']:.0f}", told])
    result = {"results": found, "same_results": True, **ratios(readings)}
    if args.json:
        keys = ("images", "gallery", "probes", "pairs", "genuine", "dimensions", "any_two", "verification_pairs")
        setting = {key: getattr(args, key) for key in (*keys, "repeats")}
        machine = {"processor": processor_name(), "cores": usable_cores()}
        print_json({"benchmark": "scoring", **setting, **machine, **result})
    else:
        print(table(rows, ("task", "side", "seconds", "peak MB", "steps")))
        print("how many times as fast as plain loops, results being the same", *ratio_lines(result), sep="\n")


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


def check_same(task: str, ours: Any, theirs: Any, place: str = "") -> None:
    """Raise unless both sides gave the same numbers, up to rounding."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key, value in ours.items():
            check_same(task, value, theirs[key], f"{place} {key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            check_same(task, one, other, f"{place} {index}")
    elif not (ours == theirs or math.isclose(ours, theirs, rel_tol=0, abs_tol=1e-9)):
        raise FairfaceError(f"{task}:{place} is {ours}, but {theirs} by plain loops; the figures would mean nothing")


def in_new_process(task: str, side: str, args: Namespace) -> dict[str, Any]:
    command: list[Any] = [sys.executable, __file__, "--measure", task, "--side", side, "--images", args.images]
    command += ["--gallery", args.gallery, "--probes", args.probes, "--pairs", args.pairs, "--genuine", args.genuine]
    command += ["--dimensions", args.dimensions, "--verification-pairs", args.verification_pairs]
    command += ["--any-two"] if args.any_two else []
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FairfaceError(f"{task}, {side}: its process failed: {done.stderr.strip()[-300:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    run(main)
