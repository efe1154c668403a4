"""Time and memory of scoring every image against every other, beside plain loops of numpy.

Ours is what ``--all-pairs`` prints, from the stored embeddings to the JSON: AUC, EER and TAR at three FMRs, and with
two groups the whole fairness score with intervals over subjects. The loops do less: one goes over blocks of products
and counts matches at one threshold, by group and group too; the other, for fewer images, sorts every score.

Examples:
    python benchmarks/scoring_all_pairs.py --json
    python benchmarks/scoring_all_pairs.py --images 100000 --dimensions 512 --tasks verification --repeats 1
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from all_pairs_loops import FMR, Found, check_same, loop, loop_by_group, sort, threshold_of
from figures import peak_memory, quotients, ratio_lines, ratios

from fairface.cli import parser, print_json, run, table
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import FairfaceError
from fairface.hardware import processor_name, usable_cores
from fairface.programs import fairness, verification

OURS, LOOP = "ours", "plain loop"
TASKS = ("verification", "two groups", "sorted")


def main(argv: Sequence[str]) -> None:
    options = parser("Time and memory of scoring all pairs; each side in its own process.")
    options.add_argument("--images", type=int, default=13_233)
    options.add_argument("--sorted-images", type=int, default=6_000, help="of the task that sorts every score")
    options.add_argument("--dimensions", type=int, default=128)
    options.add_argument("--rounds", type=int, default=1_000, help="resamples of the fairness score")
    options.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    options.add_argument("--repeats", type=int, default=3, help="rounds; everything is measured once in each")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--measure", choices=TASKS, help="only this task of --side on --embeddings, as JSON")
    options.add_argument("--side", choices=(OURS, LOOP), default=OURS)
    options.add_argument("--embeddings", default="", help="file of embeddings")
    args = options.parse_args(argv)
    if args.measure:
        seconds, found = SIDES[args.measure, args.side](args)
        print_json({"seconds": seconds, "peak_mb": peak_memory(), "results": found})
        return
    with tempfile.TemporaryDirectory() as folder:
        files = {task: make(Path(folder, f"{task}.npz"), task, args) for task in args.tasks}
        turns = [{task: {side: in_new_process(task, side, files[task], args) for side in (OURS, LOOP)}
                  for task in args.tasks} for _ in range(args.repeats)]  # fmt: skip
    for turn in turns:
        for task, sides in turn.items():
            check_same(task, sides[OURS]["results"], sides[LOOP]["results"])
    show(args, turns)


def make(path: Path, task: str, args: Namespace) -> Path:
    """Subjects with as few images as LFW's, 2.3 on average, each subject in one of two groups."""
    images = args.sorted_images if task == "sorted" else args.images
    rng = np.random.default_rng(0)
    subject = np.sort(rng.integers(0, max(2, round(images / 2.3)), images)).astype(np.int32)
    mean = rng.standard_normal((int(subject.max()) + 1, args.dimensions), np.float32)
    rows = mean[subject] + 1.2 * rng.standard_normal((images, args.dimensions), np.float32)
    group = (subject % 2).astype(np.int8)[:, None]
    names = tuple(f"{who}/{image}.png" for image, who in enumerate(subject.tolist()))
    save_embeddings(path, Embeddings(rows.astype(np.float32), names, {}, subject, group, ("group",)))
    return path


def program(main_of: Callable[[Sequence[str]], Any], *words: object) -> tuple[float, Found]:
    """Seconds of a program on all pairs, its modules being loaded, and what it printed."""
    printed = io.StringIO()
    before = time.perf_counter()
    with contextlib.redirect_stdout(printed):
        main_of([str(word) for word in ("--all-pairs", "--subjects-from", "labels", "--json", "--quiet", *words)])
    return time.perf_counter() - before, json.loads(printed.getvalue())


def verify(args: Namespace) -> tuple[float, Found]:
    seconds, printed = program(verification.main, "--embeddings", args.embeddings, "--fmr", *FMR)
    (result,) = printed["results"].values()
    return seconds, {key: result[key] for key in ("genuine", "impostor", "auc", "eer", "tar")}


def by_group(args: Namespace) -> tuple[float, Found]:
    seconds, printed = program(
        fairness.main, "--embeddings", args.embeddings, "--protected", "group", "--bootstrap", args.rounds,
        "--threshold", threshold_of(args.dimensions),
    )  # fmt: skip
    found = printed["groupings"]["group"]
    cells = [(0, 0), (0, 1), (1, 1)]
    errors = {name: [found[f"{name}_matrix"][g][h]["errors"] for g, h in cells] for name in ("fnmr", "fmr")}
    overall = [printed["overall"][name]["comparisons"] for name in ("fnmr", "fmr")]
    return seconds, {**errors, "genuine": overall[0], "impostor": overall[1]}


SIDES: dict[tuple[str, str], Callable[[Namespace], tuple[float, Found]]] = {
    ("verification", OURS): verify, ("verification", LOOP): loop,
    ("two groups", OURS): by_group, ("two groups", LOOP): loop_by_group,
    ("sorted", OURS): verify, ("sorted", LOOP): sort,
}  # fmt: skip


def show(args: Namespace, turns: list[dict[str, dict[str, Found]]]) -> None:
    readings, rows, found = {}, [], {}
    for task in args.tasks:
        sides = {side: [turn[task][side] for turn in turns] for side in (OURS, LOOP)}
        for what, key in (("", "seconds"), (", memory", "peak_mb")):
            ours, other = ([of[key] for of in sides[side]] for side in (OURS, LOOP))
            readings[f"{task}, ours / plain loop{what}"] = quotients(other, ours)
        for side, of_side in sides.items():
            seconds, results = [of["seconds"] for of in of_side], of_side[0]["results"]
            pairs = results["genuine"] + results["impostor"]
            middle, peak = median(seconds), max(of["peak_mb"] for of in of_side)
            found[f"{task}, {side}"] = {
                "seconds": middle, "range": [min(seconds), max(seconds)], "pairs": pairs,
                "pairs_per_second": pairs / middle, "peak_mb": peak,
            }  # fmt: skip
            rows.append([task, side, f"{middle:.3g}", f"{pairs / middle / 1e6:.1f}", f"{peak:.0f}"])
    result = {"results": found, "same_results": True, **ratios(readings)}
    if args.json:
        setting = {key: getattr(args, key) for key in ("images", "sorted_images", "dimensions", "rounds", "repeats")}
        machine = {"processor": processor_name(), "cores": usable_cores()}
        print_json({"benchmark": "scoring_all_pairs", **setting, **machine, **result})
    else:
        print(table(rows, ("task", "side", "seconds", "million pairs/s", "peak MB")))
        print("how many times as fast as a plain loop, results being the same", *ratio_lines(result), sep="\n")


def in_new_process(task: str, side: str, file: Path, args: Namespace) -> Found:
    command = [sys.executable, __file__, "--measure", task, "--side", side, "--embeddings", str(file),
               "--dimensions", str(args.dimensions), "--rounds", str(args.rounds)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FairfaceError(f"{task}, {side}: {done.stderr.strip() or f'ended with {done.returncode}'}")
    result: Found = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    run(main)
