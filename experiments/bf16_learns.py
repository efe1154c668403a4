"""Does a net learn as well in bf16 as in fp32? The embedded data, the same seeds in both precisions.

python experiments/bf16_learns.py --data datasets/orl --out results/bf16

Trains train/configs/orl_demo.yaml once for every seed and precision, each in a process of its own, and scores the ten
test people on all pairs. One JSON file per arm; arms that are done are skipped. ``summary.json`` holds the differences
bf16 - fp32 seed by seed, and how far the seeds of fp32 themselves are apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from fairface.cli import parser, print_json, progress, run, table
from fairface.errors import FairfaceError
from fairface.files import atomic_write

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "train" / "configs" / "orl_demo.yaml"
PRECISIONS = ("fp32", "bf16")
MEASURES = ("auc", "eer", "tar")


def arm(precision: str, seed: int, data: Path, out: Path, extra: Sequence[str]) -> dict[str, Any]:
    """Train and score one arm, or read what it gave before."""
    name = f"{precision}_seed{seed}"
    path = out / f"{name}.json"
    if path.is_file():
        result: dict[str, Any] = json.loads(path.read_text())
        return result
    words = [
        f"name={name}", f"output={out / 'runs'}", f"seed={seed}", f"precision={precision}",
        f"data.path={data / 'base'}", f"verify.sets={data / 'validation'}", f"test.sets={data / 'test'}", *extra,
    ]  # fmt: skip
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(ROOT / "train" / "train.py"), str(CONFIG), *words, "--overwrite"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise FairfaceError(f"{name}: training ended with code {done.returncode} ({lines[-1] if lines else 'killed'})")
    metrics = json.loads((out / "runs" / name / "metrics.json").read_text())
    result = {
        "precision": precision, "seed": seed, "auc": metrics["auc"], "eer": metrics["eer"],
        "tar": metrics["tar"]["0.01"], "seconds": time.monotonic() - start, "overrides": list(extra),
    }  # fmt: skip
    with atomic_write(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    return result


def summary(arms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean of both precisions, mean difference with its seeds, and the spread of fp32 over seeds, per measure."""
    by_arm = {(a["precision"], a["seed"]): a for a in arms}
    seeds = sorted({a["seed"] for a in arms})
    result: dict[str, Any] = {"seeds": seeds}
    for measure in MEASURES:
        full, half = ([by_arm[p, seed][measure] for seed in seeds] for p in PRECISIONS)
        differences = [b - a for a, b in zip(full, half, strict=True)]
        result[measure] = {
            "fp32": mean(full), "bf16": mean(half), "differences": differences, "difference": mean(differences),
            "fp32_deviation_over_seeds": stdev(full) if len(full) > 1 else None,
        }  # fmt: skip
    return result


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=Path("datasets/orl"), metavar="DIR",
                         help="folder with base, validation and test")  # fmt: skip
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="results; runs go below it")
    options.add_argument("--seeds", default="0,1,2", help="comma-separated")
    options.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="keys of the configuration")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    data, out = args.data.resolve(), args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    wanted = [(precision, int(seed)) for seed in args.seeds.split(",") for precision in PRECISIONS]
    arms = [arm(p, seed, data, out, args.set) for p, seed in progress(wanted, label="arms", unit="arm")]
    result = summary(arms)
    with atomic_write(out / "summary.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    if args.json:
        print_json(result)
        return
    rows = [
        [m, *(f"{result[m][key]:.4f}" for key in (*PRECISIONS, "difference")),
         " ".join(f"{d:+.4f}" for d in result[m]["differences"])]
        for m in MEASURES
    ]  # fmt: skip
    print(table(rows, ["measure", "fp32", "bf16", "bf16 - fp32", "seed by seed"]))


if __name__ == "__main__":
    run(main)
