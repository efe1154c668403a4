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
from argparse import Namespace
from collections.abc import Sequence
from statistics import median
from typing import Any

from figures import peak_memory, quotients, ratio_lines, ratios
from scoring_tasks import LOOP, OURS, TASKS

from fairface.cli import parser, print_json, run, table
from fairface.errors import FairfaceError
from fairface.hardware import processor_name, usable_cores


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
