"""Training speed of two workers of one machine against one process with two contexts, on the same cores.

python benchmarks/workers.py --net fresnet18 --batch-size 32 --turns 3 --steps 12 --json

All are runs of the training program with its own defaults, in turns; counted is the time from the first quarter of the
steps to the last one, by the log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import quotients, ratio_lines, ratios, spread
from input_pipeline import SIZE, write_rec

from fairface.cli import parser, print_json, progress, run, table
from fairface.config.load import dump
from fairface.config.schema import BackboneConfig, DataConfig, HeadConfig, LogConfig, TrainConfig
from fairface.errors import TrainingError

TARGET = 0.9
SIDES = {"one process": (), "workers": ("--workers", "2")}
ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--net", default="fresnet18")
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--batch-size", type=int, default=32)
    options.add_argument("--images", type=int, default=512, help="images in the .rec")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--steps", type=int, default=12, help="steps of a turn")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = options.parse_args(argv)
    if arguments.turns < 1 or arguments.steps < 4:
        options.error("--turns must be 1 or more, --steps 4 or more")
    speeds: dict[str, list[float]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        write_rec(Path(folder) / "train.rec", arguments.images)
        path = Path(folder) / "config.yaml"
        path.write_text(dump(configured(Path(folder), arguments)), encoding="utf-8")
        for turn in progress(range(arguments.turns), label="turns", unit="turn"):
            order = list(SIDES.items())
            for name, words in order if turn % 2 else reversed(order):
                run_folder = Path(folder) / "models" / "run"
                speeds[name].append(speed(path, run_folder, words, arguments.steps, arguments.batch_size))
    result: dict[str, Any] = {
        "benchmark": "workers", "unit": "images/s", "net": arguments.net, "batch_size": arguments.batch_size,
        "steps": arguments.steps, **{name: spread(values) for name, values in speeds.items()},
        **ratios({"two workers / two contexts": quotients(speeds["workers"], speeds["one process"])}),
        "ratio_target": TARGET,
    }  # fmt: skip
    if arguments.json:
        print_json(result)
        return
    rows = [[name, *(f"{result[name][key]:.1f}" for key in ("median", "min", "max"))] for name in SIDES]
    print(table(rows, ["images/s", "median", "min", "max"]))
    print(*ratio_lines(result), f"target {TARGET}", sep="\n")


def configured(folder: Path, arguments: Any) -> TrainConfig:
    """A run whose two contexts, or two workers, share the batch."""
    return TrainConfig(
        output=str(folder / "models"), devices="cpu0,cpu1", batch_size=arguments.batch_size, steps=arguments.steps,
        data=DataConfig(path=str(folder), image_size=SIZE),
        backbone=BackboneConfig(name=arguments.net, embedding=arguments.embedding),
        head=HeadConfig(name="cosface", s=32, m3=0.2), log=LogConfig(every=1, tensorboard=False, sheet=False),
    )  # fmt: skip


def speed(config: Path, folder: Path, words: Sequence[str], steps: int, batch_size: int) -> float:
    """Images a second from the first quarter of the steps to the last one.

    Raises:
        TrainingError: the run failed.
    """
    command = [sys.executable, str(ROOT / "train" / "train.py"), str(config), "--overwrite", "--quiet", *words]
    # This process imported MXNet, which has set its own number of threads; every side chooses for itself.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise TrainingError(f"{' '.join(words) or 'one process'}: {done.stderr.strip() or done.returncode}")
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    first, *_, last = [line for line in lines if line["event"] == "train" and line["step"] >= max(steps // 4, 1)]
    return float(batch_size * (last["step"] - first["step"]) / (last["time"] - first["time"]))


if __name__ == "__main__":
    run(main)
