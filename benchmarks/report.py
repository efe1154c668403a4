"""Time and size of the web page of a fairness score, beside plain ways to the same.

The plain way to figures is what a notebook does: for each group the exact ROC and DET with a point for every score, and
matplotlib's histogram, as SVG with matplotlib's own settings. The plain way to the table behind the slider is to count
anew at each threshold; it is measured at one threshold, beside our table's time for one. All get the same scores. Ours
includes the fairness score itself in its total.

Example: python benchmarks/report.py --json
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from figures import peak_memory, quotients, ratio_lines, ratios
from numpy.typing import NDArray

from fairface.cli import parser, print_json, run, table
from fairface.comparisons import Comparisons
from fairface.errors import FairfaceError
from fairface.hardware import processor_name, usable_cores
from fairface.report.fairness_report import FairnessReport
from fairface.report.page.card import Provenance
from fairface.report.page.document import write_page
from fairface.report.page.fairness_page import fairness_page
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.score_summary import summarise_scores
from fairface.scoring.fairness.threshold import SharedThreshold, calibrated_threshold
from fairface.scoring.roc import roc_curve

OURS, PLAIN = "ours", "plain"
Scores = NDArray[np.float64]


def main(argv: Sequence[str]) -> None:
    options = parser("Time and size of the web page of a fairness score; each side in its own process.")
    options.add_argument("--comparisons", type=int, default=1_000_000)
    options.add_argument("--subjects", type=int, default=4_000)
    options.add_argument("--groups", type=int, default=8)
    options.add_argument("--rounds", type=int, default=100, help="resamples and permutations of the fairness score")
    options.add_argument("--repeats", type=int, default=3, help="rounds; everything is measured once in each")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--side", choices=(OURS, PLAIN), default="", help="only this one, as JSON")
    args = options.parse_args(argv)
    if args.side:
        print_json(measure(args))
        return
    turns = [{side: in_new_process(side, args) for side in (OURS, PLAIN)} for _ in range(args.repeats)]
    found = {side: summary([turn[side] for turn in turns]) for side in (OURS, PLAIN)}
    shared = ratios(
        {
            f"ours / {PLAIN}, figures": ratio(turns, "page"),
            f"ours / {PLAIN}, size": ratio(turns, "bytes"),
            "ours / counted anew, a threshold": ratio(turns, "threshold"),
        }
    )
    if args.json:
        setting = {key: getattr(args, key) for key in ("comparisons", "subjects", "groups", "rounds", "repeats")}
        machine = {"processor": processor_name(), "cores": usable_cores()}
        print_json({"benchmark": "report", **setting, **machine, "results": found, **shared})
    else:
        names = list(found[OURS])
        print(table([[side, *(f"{of[name]:.3g}" for name in names)] for side, of in found.items()], ("side", *names)))
        print("how many times as fast, and as small, as the plain ways", *ratio_lines(shared), sep="\n")


def summary(readings: Sequence[dict[str, float]]) -> dict[str, float]:
    """Medians; the highest memory."""
    found = {name: median(of[name] for of in readings) for name in readings[0]}
    return {**found, "peak_mb": max(of["peak_mb"] for of in readings)}


def ratio(turns: Sequence[dict[str, dict[str, float]]], name: str) -> list[float]:
    return quotients([turn[PLAIN][name] for turn in turns], [turn[OURS][name] for turn in turns])


def measure(args: Namespace) -> dict[str, float]:
    """Seconds of wall and processor, seconds of the page's figures and of one threshold, bytes, memory."""
    scores, comparisons = world(args)
    with tempfile.TemporaryDirectory() as folder:
        before, of_processor = time.perf_counter(), time.process_time()
        parts = SIDES[args.side](scores, comparisons, Path(folder), args.rounds)
        whole = {"seconds": time.perf_counter() - before, "cpu_seconds": time.process_time() - of_processor}
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {**whole, **parts, "bytes": size, "peak_mb": peak_memory()}


def world(args: Namespace) -> tuple[Scores, Comparisons]:
    """Random comparisons within groups, three in ten of them mated; ten images a subject."""
    rng = np.random.default_rng(0)
    images = 10
    same = rng.random(args.comparisons) < 0.3
    one = rng.integers(0, args.subjects, args.comparisons)
    step = args.groups * rng.integers(1, args.subjects // args.groups, args.comparisons)
    other = np.where(same, one, (one + step) % (args.subjects // args.groups * args.groups))
    one = np.where(same, one, one % (args.subjects // args.groups * args.groups))
    first, second = (of * images + rng.integers(0, images, args.comparisons) for of in (one, other))
    subject = rng.normal(0, 0.05, args.subjects)
    scores = np.where(same, 0.6, 0.1) + rng.normal(0, 0.12, args.comparisons) + subject[one] + subject[other]
    group = np.repeat(np.arange(args.subjects) % args.groups, images)
    nothing = np.full(args.comparisons, -1, np.int32)
    return scores, Comparisons(
        first, second, same, nothing, one, other, attributes=group[:, None].astype(np.int8), attribute_names=("group",)
    )


def ours(scores: Scores, comparisons: Comparisons, folder: Path, rounds: int) -> dict[str, float]:
    threshold = threshold_of(scores, comparisons)
    result = assess(scores, comparisons, ["group"], threshold, FairnessOptions(rounds=rounds))
    began = time.perf_counter()
    summary_of = summarise_scores(scores, comparisons, ["group"], threshold.value)
    table_done = time.perf_counter()
    made_by = Provenance("python benchmarks/report.py", {})
    write_page(folder / "report.html", fairness_page(FairnessReport(result), made_by, summary_of, comparisons))
    per_threshold = (table_done - began) / len(summary_of.tables["all"].thresholds)
    return {"page": time.perf_counter() - table_done, "threshold": per_threshold}


def threshold_of(scores: Scores, comparisons: Comparisons) -> SharedThreshold:
    return calibrated_threshold(scores, comparisons.same, 0.001 if len(scores) > 10_000 else 0.1)


def plain(scores: Scores, comparisons: Comparisons, folder: Path, rounds: int) -> dict[str, float]:
    began = time.perf_counter()
    all_points(scores, comparisons, folder)
    drawn = time.perf_counter()
    assess(scores, comparisons, ["group"], threshold_of(scores, comparisons), FairnessOptions(rounds=0))
    return {"page": drawn - began, "threshold": time.perf_counter() - drawn}


def all_points(scores: Scores, comparisons: Comparisons, folder: Path) -> None:
    from matplotlib.figure import Figure

    group = comparisons.attributes[comparisons.a, 0]
    parts = {"all": np.ones(len(scores), bool), **{str(code): group == code for code in np.unique(group)}}
    curves = {name: roc_curve(scores[inside], comparisons.same[inside]) for name, inside in parts.items()}
    for shown, keys in enumerate((["all"], [name for name in parts if name != "all"])):
        figure = Figure(figsize=(10, 4.8), layout="constrained")
        roc, det = figure.subplots(1, 2)
        for name in keys:
            of = curves[name]
            roc.plot(of.fmr, of.tar, label=name)
            det.plot(of.fmr, of.fnmr, label=name)
        roc.set(xscale="log", xlabel="FMR", ylabel="TAR")
        det.set(xscale="log", yscale="log", xlabel="FMR", ylabel="FNMR")
        roc.legend()
        figure.savefig(folder / f"curves-{shown}.svg")
        figure = Figure(figsize=(9, 2.2 * max(-(-len(keys) // 3), 1)), layout="constrained")
        for axes, name in zip(figure.subplots(-(-len(keys) // 3), 3, squeeze=False).ravel(), keys, strict=False):
            for kind in (True, False):
                axes.hist(scores[parts[name] & (comparisons.same == kind)], bins=60, density=True, histtype="step")
        figure.savefig(folder / f"scores-{shown}.svg")


SIDES: dict[str, Callable[[Scores, Comparisons, Path, int], dict[str, float]]] = {OURS: ours, PLAIN: plain}


def in_new_process(side: str, args: Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--comparisons", args.comparisons]
    command += ["--subjects", args.subjects, "--groups", args.groups, "--rounds", args.rounds]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FairfaceError(f"{side}: its process failed: {done.stderr.strip()[-300:]}")
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    run(main)
