"""Training speed of fresnet_tiny from a .rec on disk against the same images decoded in memory, and memory over time.

python benchmarks/train_from_disk.py --blocks 9 --steps 10 --json

One net is trained in turns on batches from the disk and from memory, in one process, so that the machine's drift meets
both alike. Then it is trained on from disk: resident memory after a quarter of ``--memory-steps`` and after all of them
is compared.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from figures import quotients, ratio_lines, ratios, spread
from input_pipeline import SIZE, write_rec

from fairface.cli import parser, print_json, progress, run, table
from fairface.config.schema import AugmentConfig, BackboneConfig, DataConfig, HeadConfig, LogConfig, TrainConfig
from fairface.data.loading.loader import BatchLoader
from fairface.data.types import Batch
from fairface.mx import mx
from fairface.training.log import RunLog
from fairface.training.run import assemble
from fairface.training.setup import prepare
from fairface.training.trainer import Trainer

TARGET_SPEED, TARGET_MEMORY = 0.97, 0.02
READINGS = 5  # of memory, of which the median counts
MIRRORED = AugmentConfig()


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=4000, help="images in the .rec")
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--blocks", type=int, default=9, help="timed turns of each side")
    options.add_argument("--steps", type=int, default=10, help="steps in a turn")
    options.add_argument("--memory-batch", type=int, default=16, help="batch size of the memory run")
    options.add_argument("--memory-steps", type=int, default=400, help="steps of the memory run")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = options.parse_args(argv)
    if min(arguments.blocks, arguments.steps) < 1 or arguments.memory_steps < 4:
        options.error("--blocks and --steps must be 1 or more, --memory-steps 4 or more")
    with tempfile.TemporaryDirectory() as folder:
        write_rec(Path(folder) / "train.rec", arguments.images)
        speeds = measure_speed(Path(folder), arguments.batch_size, arguments.blocks, arguments.steps)
        # In a process of its own: what the speed runs gave back would blur the reading.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            memory = pool.apply(measure_memory, (Path(folder), arguments.memory_batch, arguments.memory_steps))
    result: dict[str, Any] = {
        "benchmark": "train_from_disk", "unit": "images/s", "net": "fresnet_tiny", "batch_size": arguments.batch_size,
        "blocks": arguments.blocks, "steps": arguments.steps,
        "disk": spread(speeds["disk"]), "in_memory": spread(speeds["memory"]),
        **ratios({"from disk / from memory": quotients(speeds["disk"], speeds["memory"])}),
        "ratio_target": TARGET_SPEED, "memory_steps": arguments.memory_steps, "resident_bytes": memory,
        "memory_growth": memory["late"] / memory["early"] - 1, "memory_growth_limit": TARGET_MEMORY,
    }  # fmt: skip
    if arguments.json:
        print_json(result)
    else:
        show(result)


def make_trainer(folder: Path, name: str, batch_size: int, in_memory: bool, *, augment: AugmentConfig = MIRRORED,
                 threads: int = 0) -> Trainer:  # fmt: skip
    """A trainer on the images of ``folder``, mirrored as in every real run if nothing else is said."""
    config = TrainConfig(
        name=name, output=str(folder / "models"), devices="cpu0", batch_size=batch_size, steps=1 << 30,
        data=DataConfig(path=str(folder), in_memory=in_memory, image_size=SIZE, threads=threads), augment=augment,
        backbone=BackboneConfig(name="fresnet_tiny", embedding=256), head=HeadConfig(name="cosface", s=32, m3=0.2),
        log=LogConfig(tensorboard=False, sheet=False),
    )  # fmt: skip
    prepared = dataclasses.replace(prepare(config), verify_every=0)
    return assemble(prepared, RunLog(prepared.folder, quiet=True, history=""))


def measure_speed(folder: Path, batch_size: int, blocks: int, steps: int) -> dict[str, list[float]]:
    """Images a second of both sides, a block of steps each in turns, after one untimed block of each."""
    disk = make_trainer(folder, "disk", batch_size, in_memory=False)
    memory = make_trainer(folder, "memory", batch_size, in_memory=True)
    return in_turns(disk, {"disk": disk.loader, "memory": memory.loader}, batch_size, blocks, steps)


def in_turns(trainer: Trainer, loaders: Mapping[str, BatchLoader], batch_size: int, blocks: int, steps: int
             ) -> dict[str, list[float]]:  # fmt: skip
    """Images a second of one trainer on each loader's batches, after one untimed block of each."""
    speeds: dict[str, list[float]] = {name: [] for name in loaders}
    for block in progress(range(blocks + 1), label="speed", unit="block"):
        order = list(loaders.items())
        for name, loader in order if block % 2 else reversed(order):
            # One batch more than is timed, so that no side starts with batches that are still being made.
            batches = loader.iterate(block * (steps + 1), (block + 1) * (steps + 1))
            take(trainer, batches, 1)
            start = time.perf_counter()
            take(trainer, batches, steps)
            if block:
                speeds[name].append(steps * batch_size / (time.perf_counter() - start))
    return speeds


def take(trainer: Trainer, batches: Iterator[Batch], steps: int) -> None:
    """Train ``steps`` steps and wait for them; each step's loss is read, as in a real run."""
    for _ in range(steps):
        pending = trainer.step(0, next(batches))
        pending.report.losses["loss"][0].wait_to_read()
    mx.nd.waitall()


def measure_memory(folder: Path, batch_size: int, steps: int) -> dict[str, int]:
    """Resident bytes after a quarter of ``steps`` and after all; the median of a few readings before each."""
    trainer = make_trainer(folder, "memory_over_time", batch_size, in_memory=False)
    marks = {"early": steps // 4, "late": steps}
    readings: dict[str, list[int]] = {name: [] for name in marks}
    batches = trainer.loader.iterate(0, steps + 1)
    for step in progress(range(steps), label="memory", unit="step"):
        take(trainer, batches, 1)
        for name, mark in marks.items():
            if mark - READINGS < step + 1 <= mark:
                readings[name].append(resident_bytes())
    return {name: int(median(values)) for name, values in readings.items()}


def resident_bytes() -> int:
    """Resident set size of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def show(result: dict[str, Any]) -> None:
    rows = [[name, *(f"{result[key][k]:.1f}" for k in ("median", "min", "max"))]
            for name, key in (("from disk", "disk"), ("from memory", "in_memory"))]  # fmt: skip
    print(table(rows, [f"images/s, batch {result['batch_size']}", "median", "min", "max"]))
    print(*ratio_lines(result), f"target {result['ratio_target']}", sep="\n")
    early, late = (result["resident_bytes"][name] / 2**20 for name in ("early", "late"))
    steps = result["memory_steps"]
    print(f"resident memory: {early:.1f} MiB after {steps // 4} steps, {late:.1f} MiB after {steps} "
          f"({result['memory_growth']:+.2%}), limit {result['memory_growth_limit']:.0%}")  # fmt: skip


if __name__ == "__main__":
    run(main)
