"""A long run of a tiny model with verification and checkpoints: does it hold more memory, files or threads at its end?

python benchmarks/soak.py --steps 5000 --json

Read after every step: memory of its own (resident or swapped out, without mapped files, which the system drops and
reads again as it likes), open files and threads of the process. Compared are the medians of the tenth of
the steps that follows the first, and of the last tenth.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from figures import ratio_lines, ratios
from numpy.typing import NDArray

from fairface.cli import parser, print_json, progress, run, table
from fairface.config.schema import (
    BackboneConfig,
    DataConfig,
    HeadConfig,
    LogConfig,
    OptimizerConfig,
    TrainConfig,
    VerifyConfig,
)
from fairface.data.images import encode_png
from fairface.training.log import RunLog
from fairface.training.run import assemble
from fairface.training.setup import prepare

SIZE, PEOPLE, IMAGES = 32, 8, 6
LIMIT = 0.02  # growth of memory
WHAT = ("memory", "files", "threads")


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=5000)
    options.add_argument("--batch-size", type=int, default=16)
    options.add_argument("--every", type=int, default=100, help="steps between verifications, and between checkpoints")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = options.parse_args(argv)
    if arguments.steps < 20 or min(arguments.batch_size, arguments.every) < 1:
        options.error("--steps must be 20 or more, --batch-size and --every 1 or more")
    with tempfile.TemporaryDirectory() as folder:
        draw_people(Path(folder) / "people")
        readings = soak(configured(Path(folder), arguments))
    tenth = len(readings) // 10
    early, late = (
        dict(zip(WHAT, np.median(part, axis=0).tolist(), strict=True))
        for part in (readings[tenth : 2 * tenth], readings[-tenth:])
    )
    result: dict[str, Any] = {
        "benchmark": "soak", "steps": arguments.steps, "every": arguments.every, "early": early, "late": late,
        **ratios({"second tenth / last tenth, memory": [early["memory"] / late["memory"]]}),
        "memory_growth": late["memory"] / early["memory"] - 1, "memory_growth_limit": LIMIT,
    }  # fmt: skip
    if arguments.json:
        print_json(result)
        return
    rows = [[name, *(f"{part[name] / (2**20 if name == 'memory' else 1):.1f}" for part in (early, late))]
            for name in WHAT]  # fmt: skip
    print(table(rows, ["", "second tenth", "last tenth"]))
    print(*ratio_lines(result), f"memory {result['memory_growth']:+.2%}, limit {LIMIT:.0%}", sep="\n")


def draw_people(folder: Path) -> None:
    """One folder per person, noise over a pattern of its own."""
    rng = np.random.default_rng(0)
    for person in range(PEOPLE):
        pattern = rng.integers(0, 256, (SIZE, SIZE, 3))
        (folder / f"p{person}").mkdir(parents=True)
        for image in range(IMAGES):
            noisy = np.clip(pattern + rng.normal(0, 20, pattern.shape), 0, 255).astype(np.uint8)
            (folder / f"p{person}" / f"{image}.png").write_bytes(encode_png(noisy))


def configured(folder: Path, arguments: Any) -> TrainConfig:
    """The run: a small net, verified and saved so often that what they leave behind would show."""
    return TrainConfig(
        output=str(folder / "models"), devices="cpu0", batch_size=arguments.batch_size, steps=arguments.steps,
        save_every=arguments.every, data=DataConfig(path=str(folder / "people"), image_size=SIZE, threads=1),
        backbone=BackboneConfig(name="fresnet_tiny", embedding=8, width=0.25),
        head=HeadConfig(name="cosface", s=8, m3=0.1), optimizer=OptimizerConfig(lr=0.001),
        verify=VerifyConfig(sets=(str(folder / "people"),), every=arguments.every, batch_size=16),
        log=LogConfig(tensorboard=False, sheet=False),
    )  # fmt: skip


def soak(config: TrainConfig) -> NDArray[np.int64]:
    """Train and read after every step: one row a step, the columns ``WHAT``, held from the beginning."""
    prepared = prepare(config)
    trainer = assemble(prepared, RunLog(prepared.folder, quiet=True, history=""))
    readings = np.ones((config.steps, len(WHAT)), np.int64)  # ones: its memory is touched before the first reading
    with progress(total=config.steps, label="soak", unit="step") as bar:

        def read(step: int) -> None:
            readings[step - 1] = held()
            bar.update(1)

        trainer.draw = read
        trainer.run()
    return readings


def held() -> tuple[int, int, int]:
    """What this process holds, as ``WHAT`` has it: bytes of its own, open files, threads."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own = sum(int(status[name].split()[0]) * 1024 for name in ("RssAnon", "VmSwap"))
    files, threads = (len(os.listdir(f"/proc/self/{kind}")) for kind in ("fd", "task"))
    return own, files, threads


if __name__ == "__main__":
    run(main)
