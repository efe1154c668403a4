"""Training step (forward, backward, update) of our net with an ArcFace head against the same net in PyTorch.

python benchmarks/train_step.py --net fresnet50 --batch 32 --pairs 9 --torch-python .venv-torch/bin/python --json

Every side runs in a process of its own, which stays alive, so that peak memory is measured apart. A round lets every
side take its steps in turn, and every second round goes the other way about; the ratio is taken round by round against
the faster of PyTorch's two fp32 layouts. bf16 is shown beside.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from fairface.cli import parser, print_json, progress, run, table
from fairface.errors import FairfaceError
from fairface.hardware import physical_cores, processor_name, total_memory

HERE = Path(__file__).resolve().parent
NETS = ("fresnet18", "fresnet34", "fresnet50", "fresnet100", "fresnet_tiny")
FP32 = ("torch nchw", "torch channels_last")
SIDES = ("ours", *FP32, "torch channels_last_bf16")


class Side:
    """A process that takes training steps when told to."""

    def __init__(self, name: str, python: str, job: dict[str, Any]) -> None:
        self.name = name
        framework, _, mode = name.partition(" ")
        script = HERE / ("train_step_mxnet.py" if framework == "ours" else "train_step_torch.py")
        paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")] if framework == "ours" else []
        environment = {**os.environ, "OMP_NUM_THREADS": str(job["threads"]), "PYTHONPATH": os.pathsep.join(paths)}
        self.process = subprocess.Popen(
            [python, str(script), json.dumps({**job, "mode": mode})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.about = self._answer()
        self.rates: list[float] = []
        self.cpu_seconds: list[float] = []
        self.peak_bytes = 0

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise FairfaceError(f"{self.name}: its process ended with code {code} (the cause stands above)")
        answer: dict[str, Any] = json.loads(line)
        if not math.isfinite(answer["loss"]):
            raise FairfaceError(f"{self.name}: the loss is {answer['loss']}; its figures would mean nothing")
        return answer

    def measure(self, steps: int, batch: int) -> None:
        """Take ``steps`` steps and note images/s of the median one."""
        assert self.process.stdin is not None
        print(json.dumps({"steps": steps}), file=self.process.stdin, flush=True)
        answer = self._answer()
        self.rates.append(batch / median(answer["seconds"]))
        self.cpu_seconds.append(answer["cpu_seconds"])
        self.peak_bytes = answer["peak_bytes"]

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def measure(names: Sequence[str], pythons: dict[str, str], job: dict[str, Any], pairs: int, steps: int) -> list[Side]:
    """All sides with their rates, one a round."""
    sides: list[Side] = []
    try:
        for name in names:
            sides.append(Side(name, pythons["ours" if name == "ours" else "torch"], job))
        counts = {side.about["parameters"] for side in sides}
        if len(counts) != 1:
            raise FairfaceError(f"the nets differ: {sorted(counts)} trainable values; they must be the same net")
        for number in progress(range(pairs), label="rounds"):
            for side in sides if number % 2 == 0 else reversed(sides):
                side.measure(steps, job["batch"])
    finally:
        for side in sides:
            side.stop()
    return sides


def require_torch(python: str) -> None:
    """Raise :class:`FairfaceError` where ``python`` has no torch."""
    if subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode:
        raise FairfaceError(
            f"{python} cannot import torch; pip install torch==2.13.0 into an environment of its own and name its "
            "Python with --torch-python, or measure ours alone with --sides ours"
        )


def summary(sides: Sequence[Side], job: dict[str, Any]) -> dict[str, Any]:
    """Rates, memory and ratios, round by round and as medians."""
    ours = sides[0]
    fastest = max((side for side in sides if side.name in FP32), key=lambda side: median(side.rates), default=None)
    rows = []
    for side in sides:
        ratios = [a / b for a, b in zip(ours.rates, side.rates, strict=True)]
        rows.append({
            "side": side.name, "images_per_second": median(side.rates), "rates": side.rates,
            "cpu_seconds_per_step": median(side.cpu_seconds), "peak_gb": side.peak_bytes / 1e9,
            "ours_over_this": median(ratios), "ratio_low": min(ratios), "ratio_high": max(ratios),
            "version": side.about["version"],
        })  # fmt: skip
    machine = {"processor": processor_name(), "cores": physical_cores(), "memory_gb": total_memory() / 1e9}
    return {
        "job": job, "machine": machine, "sides": rows, "faster_fp32": fastest.name if fastest else None,
        "ratio": next((row["ours_over_this"] for row in rows if fastest and row["side"] == fastest.name), None),
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    """The summary for people."""
    rows = [
        [r["side"], f"{r['images_per_second']:.2f}", f"{r['cpu_seconds_per_step']:.2f}",
         f"{r['peak_gb']:.2f}", f"{r['ours_over_this']:.2f}", f"{r['ratio_low']:.2f}..{r['ratio_high']:.2f}"]
        for r in result["sides"]
    ]  # fmt: skip
    print(table(rows, ["side", "images/s", "CPU s/step", "peak GB", "ours / this", "spread"]))
    if result["ratio"] is not None:
        print(f"ours / faster fp32 PyTorch ({result['faster_fp32']}): {result['ratio']:.2f}")


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--net", default="fresnet50", choices=NETS)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--classes", type=int, default=10572)
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--image-size", type=int, default=112)
    options.add_argument("--pairs", type=int, default=9, help="rounds; every side is measured once in each")
    options.add_argument("--steps", type=int, default=2, help="steps of a side in a round; their median counts")
    options.add_argument("--threads", type=int, default=physical_cores())
    options.add_argument("--sides", default=",".join(SIDES), help="which to run, ours first")
    options.add_argument("--torch-python", default=sys.executable, help="Python with torch 2.13 (the extra bench)")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    names = [name.strip() for name in args.sides.split(",")]
    if names[0] != "ours" or not set(names) <= set(SIDES):
        raise FairfaceError(f"--sides {args.sides}: give ours first, then any of {', '.join(SIDES[1:])}")
    job = {key: getattr(args, key) for key in ("net", "batch", "classes", "embedding", "image_size", "threads")}
    if len(names) > 1:
        require_torch(args.torch_python)
    sides = measure(names, {"ours": sys.executable, "torch": args.torch_python}, job, args.pairs, args.steps)
    result = summary(sides, job)
    if args.json:
        print_json(result)
    else:
        show(result)


if __name__ == "__main__":
    run(main)
