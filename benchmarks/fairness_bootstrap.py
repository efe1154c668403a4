"""Time and memory of the fairness score: 1,000 resamplings of subjects over 1,000,000 comparisons.

Example: python benchmarks/fairness_bootstrap.py --json
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
from figures import peak_memory, quotients, ratio_lines, ratios
from numpy.typing import NDArray

from fairface.cli import parser, print_json, run, table
from fairface.comparisons import Comparisons
from fairface.hardware import processor_name, usable_cores
from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold

IMAGES, GROUPS = 5, 4
LOOP = "plain loop (extrapolated)"
LOOP_ROUNDS = 20  # of the plain loop, which takes too long for all


def main(argv: Sequence[str]) -> None:
    options = parser("Time and memory of the fairness score; each measurement in a process of its own.")
    options.add_argument("--comparisons", type=int, default=1_000_000)
    options.add_argument("--subjects", type=int, default=1_200)
    options.add_argument("--many-subjects", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=1_000)
    options.add_argument("--repeats", type=int, default=5, help="rounds; everything is measured once in each")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--measure", choices=tuple(MEASUREMENTS), help="only this one, as JSON")
    args = options.parse_args(argv)
    if args.measure:
        subjects = args.many_subjects if args.measure == "many subjects" else args.subjects
        print_json(measure(MEASUREMENTS[args.measure], subjects, args.comparisons, args.rounds))
        return
    turns = [{name: in_new_process(name, args) for name in MEASUREMENTS} for _ in range(args.repeats)]
    results = {name: middle([turn[name] for turn in turns]) for name in MEASUREMENTS}
    loop_seconds, table_seconds = ([turn[name]["seconds"] for turn in turns] for name in (LOOP, "table"))
    found = {"results": results, **ratios({"table / plain loop": quotients(loop_seconds, table_seconds)})}
    if args.json:
        setting = {"comparisons": args.comparisons, "subjects": args.subjects, "rounds": args.rounds}
        machine = {"processor": processor_name(), "cores": usable_cores()}
        print_json({"benchmark": "fairness_bootstrap", **setting, **machine, "repeats": args.repeats, **found})
    else:
        rows = [(name, f"{one['seconds']:.2f}", f"{one['peak_mb']:.0f}") for name, one in results.items()]
        print(table(rows, ("measured", "seconds", "peak MB")))
        print("how many times as fast as a plain loop", *ratio_lines(found), sep="\n")


def middle(turns: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Medians of several turns, with the range of the seconds."""
    seconds = [turn["seconds"] for turn in turns]
    found = {key: median(turn[key] for turn in turns) for key in turns[0]}
    return {**found, "range": [min(seconds), max(seconds)]}


def measure(what: Callable[..., float], subjects: int, comparisons: int, rounds: int) -> dict[str, float]:
    scores, pairs = make(subjects, comparisons)
    seconds = what(scores, pairs, rounds)
    return {"seconds": seconds, "peak_mb": peak_memory(), "subjects": subjects}


def make(subjects: int, count: int) -> tuple[NDArray[np.float64], Comparisons]:
    """Scores with effects of subjects, one tenth of them genuine; four groups of equal size."""
    rng = np.random.default_rng(0)
    subject = rng.integers(0, subjects, (2, count))
    subject[1, : count // 10] = subject[0, : count // 10]
    image = subject * IMAGES + rng.integers(0, IMAGES, (2, count))
    again = image[0] == image[1]
    image[1, again] = subject[1, again] * IMAGES + (image[1, again] + 1) % IMAGES
    same, effect = subject[0] == subject[1], rng.normal(0, 0.08, subjects)
    scores = np.where(same, 0.6, 0.1) + effect[subject].sum(axis=0) + rng.normal(0, 0.1, count)
    group = np.repeat(np.arange(subjects) % GROUPS, IMAGES)[:, None].astype(np.int8)
    fold = np.full(count, -1, np.int32)
    return scores, Comparisons(image[0], image[1], same, fold, subject[0], subject[1], group, ("group",))


def score(scores: NDArray[np.float64], pairs: Comparisons, rounds: int) -> float:
    """The whole table: rates, matrix, measures with intervals and shuffles, planning."""
    before = time.perf_counter()
    threshold = calibrated_threshold(scores, pairs.same, 0.01)
    assess(scores, pairs, ["group"], threshold, FairnessOptions(rounds=rounds))
    return time.perf_counter() - before


def curves(scores: NDArray[np.float64], pairs: Comparisons, rounds: int) -> float:
    """ROC of every group with bands."""
    before = time.perf_counter()
    group_curves(scores, pairs, ["group"], rounds)
    return time.perf_counter() - before


def loop(scores: NDArray[np.float64], pairs: Comparisons, rounds: int) -> float:
    """A plain loop that weights every comparison in every round; only the rates of the groups, nothing else."""
    before = time.perf_counter()
    wrong = (scores >= calibrated_threshold(scores, pairs.same, 0.01).value) != pairs.same
    group = pairs.attributes[:, 0].astype(np.int64)
    within = group[pairs.a] == group[pairs.b]
    kind = group[pairs.a] * 2 + pairs.same
    for drawn in subject_draws(int(pairs.subject_a.max()) + 1, LOOP_ROUNDS, 0):
        weights = drawn[pairs.subject_a] * np.where(pairs.same, 1, drawn[pairs.subject_b])
        for chosen in (within, within & wrong):
            np.bincount(kind[chosen], weights[chosen], 2 * GROUPS)
    return (time.perf_counter() - before) * rounds / LOOP_ROUNDS


MEASUREMENTS: dict[str, Callable[..., float]] = {
    "table": score, "many subjects": score, "curves": curves, LOOP: loop,
}  # fmt: skip


def in_new_process(name: str, args: Any) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", name, "--comparisons", args.comparisons, "--rounds", args.rounds,
               "--subjects", args.subjects, "--many-subjects", args.many_subjects]  # fmt: skip
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    run(main)
