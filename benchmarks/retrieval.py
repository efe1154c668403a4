"""Time and memory of mAP and CMC, scores included, beside the usual loop over queries with scikit-learn.

The loop does what LPD's and similar programs do, restated from what they compute, not copied: all cosines at once, then
for each query scikit-learn's average precision, and a sort of its ranking for the first match. Both sides get the same
random features and must give the same results.

Example: python benchmarks/retrieval.py --json
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
from figures import peak_memory, quotients, ratio_lines, ratios

from fairface.cli import parser, print_json, run, table
from fairface.errors import FairfaceError
from fairface.hardware import processor_name, usable_cores
from fairface.scoring.retrieval import ImageSet, retrieve

OURS, LOOP = "ours", "loop over queries"


def main(argv: Sequence[str]) -> None:
    options = parser("Time and memory of mAP and CMC; each side in its own process.")
    options.add_argument("--queries", type=int, default=5_136)
    options.add_argument("--gallery", type=int, default=5_165)
    options.add_argument("--identities", type=int, default=1_018)
    options.add_argument("--dimensions", type=int, default=512)
    options.add_argument("--repeats", type=int, default=5, help="rounds; everything is measured once in each")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--side", choices=(OURS, LOOP), default="", help="only this one, as JSON")
    args = options.parse_args(argv)
    if args.side:
        print_json(measure(args))
        return
    turns = [{side: in_new_process(side, args) for side in (OURS, LOOP)} for _ in range(args.repeats)]
    for turn in turns:
        ours, theirs = (np.array(turn[side]["results"]) for side in (OURS, LOOP))
        if not np.allclose(ours, theirs, rtol=0, atol=1e-9):
            raise FairfaceError(f"mAP and CMC are {ours.tolist()}, by the loop {theirs.tolist()}; nothing is compared")
    seconds = {side: [turn[side]["seconds"] for turn in turns] for side in (OURS, LOOP)}
    memory = {side: [turn[side]["peak_mb"] for turn in turns] for side in (OURS, LOOP)}
    sides = {side: {"seconds": median(seconds[side]), "range": [min(seconds[side]), max(seconds[side])],
                    "peak_mb": max(memory[side])} for side in (OURS, LOOP)}  # fmt: skip
    found = ratios({f"ours / {LOOP}": quotients(seconds[LOOP], seconds[OURS]),
                    f"ours / {LOOP}, memory": quotients(memory[LOOP], memory[OURS])})  # fmt: skip
    if args.json:
        setting = {key: getattr(args, key) for key in ("queries", "gallery", "identities", "dimensions", "repeats")}
        machine = {"processor": processor_name(), "cores": usable_cores()}
        print_json({"benchmark": "retrieval", **setting, **machine, "results": sides, "same_results": True, **found})
    else:
        rows = [[side, f"{of['seconds']:.3g}", f"{of['peak_mb']:.0f}"] for side, of in sides.items()]
        print(table(rows, ("side", "seconds", "peak MB")))
        print("how many times as fast as a loop over queries, results being the same", *ratio_lines(found), sep="\n")


def measure(args: Namespace) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((args.identities, args.dimensions))
    sets = []
    for count in (args.queries, args.gallery):
        who = np.arange(count) % args.identities
        rows = centres[who] + 3.0 * rng.standard_normal((count, args.dimensions))
        sets.append(ImageSet(rows.astype(np.float32), who))
    before = time.perf_counter()
    results = SIDES[args.side](*sets)
    return {"seconds": time.perf_counter() - before, "results": results, "peak_mb": peak_memory()}


def ours(queries: ImageSet, gallery: ImageSet) -> list[float]:
    """mAP and the CMC at the ranks 1 to 10."""
    found = retrieve(queries, gallery)
    return [found.mean_average_precision, *found.cmc.tolist()]


def loop(queries: ImageSet, gallery: ImageSet) -> list[float]:
    """The same, query by query."""
    from sklearn.metrics import average_precision_score

    rows, columns = (of.features.astype(np.float64) for of in (queries, gallery))
    rows, columns = (of / np.linalg.norm(of, axis=1, keepdims=True) for of in (rows, columns))
    scores = rows @ columns.T
    precisions, first = [], np.zeros(10)
    for row, subject in zip(scores, queries.subjects, strict=True):
        own = gallery.subjects == subject
        if own.any():
            precisions.append(average_precision_score(own, row))
            rank = int(np.flatnonzero(own[np.argsort(-row)])[0])
            first[rank:] += 1
    return [float(np.mean(precisions)), *(first / len(precisions)).tolist()]


SIDES = {OURS: ours, LOOP: loop}


def in_new_process(side: str, args: Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--side", side, "--queries", args.queries, "--gallery", args.gallery]
    command += ["--identities", args.identities, "--dimensions", args.dimensions]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FairfaceError(f"{side}: its process failed: {done.stderr.strip()[-300:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    run(main)
