"""The embedded data set over several seeds: our model against eigenfaces on all pairs of the ten test people.

python benchmarks/orl_seeds.py --seeds 0,1,2,3,4 --json

Runs train/configs/orl_demo.yaml once a seed, each in a process of its own. Seeds that are done in --output are skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from figures import quotients, ratio_lines, ratios

from fairface.cli import parser, print_json, progress, run, table
from fairface.errors import FairfaceError

ROOT = Path(__file__).resolve().parents[1]
CONFIG = "train/configs/orl_demo.yaml"
TARGETS = {"mean_auc": 0.92, "mean_tar": 0.62}


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--seeds", default="0,1,2,3,4", help="comma-separated")
    options.add_argument("--output", default="models/orl_seeds", help="folder of the runs")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = options.parse_args(argv)
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    rows = [one_seed(seed, Path(arguments.output)) for seed in progress(seeds, label="seeds", unit="run")]
    result = summary(rows)
    if arguments.json:
        print_json(result)
    else:
        show(result)


def one_seed(seed: int, output: Path) -> dict[str, Any]:
    """Train and score one seed; its row of figures."""
    folder = output / f"seed_{seed}"
    marker = folder / "metrics.json"
    if not marker.is_file():
        words = [f"seed={seed}", f"name=seed_{seed}", f"output={output}", "--overwrite"]
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "train/train.py", CONFIG, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise FairfaceError(f"seed {seed}: {done.stderr.strip().splitlines()[-1]}")
        (folder / "seconds.txt").write_text(f"{time.monotonic() - start:.1f}\n")
    metrics = json.loads(marker.read_text())
    return {
        "seed": seed, "auc": metrics["auc"], "eer": metrics["eer"], "tar": metrics["tar"]["0.01"],
        "baseline_auc": metrics["baseline"]["auc"], "baseline_tar": metrics["baseline"]["tar"]["0.01"],
        "seconds": float((folder / "seconds.txt").read_text()),
    }  # fmt: skip


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds, and the ratios of ours to eigenfaces seed by seed."""
    ours, theirs = mean(row["tar"] for row in rows), mean(row["baseline_tar"] for row in rows)
    over = {
        "AUC, ours / eigenfaces": ([row["auc"] for row in rows], [row["baseline_auc"] for row in rows]),
        "TAR at FMR 0.01, ours / eigenfaces": ([row["tar"] for row in rows], [row["baseline_tar"] for row in rows]),
    }
    return {
        "benchmark": "orl_seeds", "seeds": list(rows),
        "ours": {"mean_auc": mean(row["auc"] for row in rows), "mean_tar": ours},
        "eigenfaces": {"mean_auc": mean(row["baseline_auc"] for row in rows), "mean_tar": theirs},
        "every_seed_above_eigenfaces": all(
            row["auc"] > row["baseline_auc"] and row["tar"] > row["baseline_tar"] for row in rows
        ),
        **ratios({name: quotients(*both) for name, both in over.items()}), "targets": TARGETS,
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    header = ["seed", "AUC", "EER", "TAR at FMR 0.01", "eigenfaces AUC", "eigenfaces TAR", "seconds"]
    keys = ["auc", "eer", "tar", "baseline_auc", "baseline_tar"]
    lines = [[row["seed"], *(f"{row[key]:.3f}" for key in keys), f"{row['seconds']:.0f}"] for row in result["seeds"]]
    print(table(lines, header))
    ours, theirs = result["ours"], result["eigenfaces"]
    print(f"mean AUC {ours['mean_auc']:.3f} (eigenfaces {theirs['mean_auc']:.3f}), mean TAR at FMR 0.01 "
          f"{ours['mean_tar']:.3f} (eigenfaces {theirs['mean_tar']:.3f}), every seed above eigenfaces: "
          f"{'yes' if result['every_seed_above_eigenfaces'] else 'no'}")  # fmt: skip
    print(*ratio_lines(result), sep="\n")


if __name__ == "__main__":
    run(main)
