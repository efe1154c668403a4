"""Frameworks side by side: each in a process of its own that stays alive, measured in turn, compared round by round."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from fairface.cli import progress, table
from fairface.errors import FairfaceError
from fairface.hardware import physical_cores, processor_name, total_memory

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Kind:
    """How a side is started: its program, what its job gets beside the common part, and the module that it needs."""

    script: str
    extra: Mapping[str, Any]
    needs: str = ""


class Side:
    """A process that works when told to."""

    def __init__(self, name: str, kind: Kind, python: str, job: Mapping[str, Any]) -> None:
        self.name = name
        paths = [] if kind.needs else [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "OMP_NUM_THREADS": str(job["threads"]), "PYTHONPATH": os.pathsep.join(paths)}
        self.process = subprocess.Popen(
            [python, str(HERE / kind.script), json.dumps({**job, **kind.extra})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.rates: list[float] = []
        self.cpu_seconds: list[float] = []
        self.peak_bytes = 0
        try:
            self.about = self._answer()
        except FairfaceError:
            self.stop()
            raise

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise FairfaceError(f"{self.name}: its process ended with code {code} (the cause stands above)")
        answer: dict[str, Any] = json.loads(line)
        if not math.isfinite(answer["check"]):
            raise FairfaceError(f"{self.name}: its result is {answer['check']}; its figures would mean nothing")
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


def add_options(options: argparse.ArgumentParser, nets: Mapping[str, str], kinds: Mapping[str, Kind]) -> None:
    """What every comparison can be told."""
    options.add_argument("--net", default="r50", choices=nets)
    options.add_argument("--batch", type=int, help="images in a step")
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--image-size", type=int, default=112)
    options.add_argument("--pairs", type=int, default=9, help="rounds; every side is measured once in each")
    options.add_argument("--steps", type=int, default=2, help="steps of a side in a round; their median counts")
    options.add_argument("--threads", type=int, default=physical_cores())
    options.add_argument("--sides", default=",".join(kinds), help="which to run, ours first")
    options.add_argument("--torch-python", default=sys.executable, help="Python with what the other sides need")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")


def job_of(args: argparse.Namespace, nets: Mapping[str, str], *more: str) -> dict[str, Any]:
    """What all sides are told: the common options and those that ``more`` names."""
    job = {key: getattr(args, key) for key in ("batch", "embedding", "image_size", "threads", *more)}
    return {**job, "net": nets[args.net]}


def chosen(text: str, kinds: Mapping[str, Kind]) -> list[str]:
    """The sides that ``--sides`` names; an unknown one, or none of ours, raises :class:`FairfaceError`."""
    names = [name.strip() for name in text.split(",")]
    if not names[0].startswith("ours") or not set(names) <= set(kinds):
        raise FairfaceError(f"--sides {text}: give ours first, then any of {', '.join(kinds)}")
    return names


def measure(
    kinds: Mapping[str, Kind], python: str, job: Mapping[str, Any], pairs: int, steps: int, same: str
) -> list[Side]:
    """All sides with their rates, one a round; every second round goes the other way about.

    Args:
        kinds: the sides by name.
        python: the other frameworks' Python.
        job: what all sides are told.
        pairs: rounds.
        steps: steps of a side in a round.
        same: what all sides must say alike about themselves.

    Raises:
        FairfaceError: a module is missing, a process ended, or the nets differ.
    """
    for module in sorted({kind.needs for kind in kinds.values()} - {""}):
        _require(python, module)
    sides: list[Side] = []
    try:
        for name, kind in progress(kinds.items(), label="start", unit="side"):
            sides.append(Side(name, kind, python if kind.needs else sys.executable, job))
        values = {side.about[same] for side in sides}
        if len(values) != 1:
            raise FairfaceError(f"the nets differ in {same}: {sorted(values)}; they must be the same net")
        for number in progress(range(pairs), label="rounds"):
            for side in sides if number % 2 == 0 else reversed(sides):
                side.measure(steps, job["batch"])
    finally:
        for side in sides:
            side.stop()
    return sides


def _require(python: str, module: str) -> None:
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode:
        raise FairfaceError(
            f"{python} cannot import {module}; install torch==2.13.0 (for embed.py also onnx, onnxscript and "
            "onnxruntime) into an environment of its own and name its Python with --torch-python, or measure ours "
            "alone with --sides ours"
        )


def ratio(side: Side, other: Side) -> dict[str, Any]:
    """How many times as fast ``side`` is as ``other``: median, lowest and highest of the rounds, and memory."""
    ratios = [a / b for a, b in zip(side.rates, other.rates, strict=True)]
    return {
        "side": side.name, "over": other.name, "ratio": median(ratios), "low": min(ratios), "high": max(ratios),
        "memory_ratio": side.peak_bytes / other.peak_bytes,
    }  # fmt: skip


def fastest(sides: Sequence[Side], names: Sequence[str]) -> list[Side]:
    """The fastest of those ``names`` that were measured, as a list of one or none."""
    return sorted((s for s in sides if s.name in names), key=lambda s: -median(s.rates))[:1]


def summary(
    sides: Sequence[Side], job: Mapping[str, Any], pairs: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, Any]:
    """Rates and memory of all sides, and the ratios of ``pairs``: a side over the fastest of some others."""
    ratios = [
        ratio(side, other) for name, others in pairs for side in sides if side.name == name
        for other in fastest(sides, others)
    ]  # fmt: skip
    rows = [
        {
            "side": side.name, "images_per_second": median(side.rates), "rates": side.rates,
            "cpu_seconds_per_step": median(side.cpu_seconds), "peak_gb": side.peak_bytes / 1e9, **side.about,
        }
        for side in sides
    ]  # fmt: skip
    machine = {"processor": processor_name(), "cores": physical_cores(), "memory_gb": total_memory() / 1e9}
    return {"job": dict(job), "machine": machine, "sides": rows, "ratios": ratios}


def show(result: Mapping[str, Any]) -> None:
    """The summary for people."""
    rows = [
        [r["side"], f"{r['images_per_second']:.2f}", f"{r['cpu_seconds_per_step']:.2f}", f"{r['peak_gb']:.2f}"]
        for r in result["sides"]
    ]
    print(table(rows, ["side", "images/s", "CPU s/step", "peak GB"]))
    for r in result["ratios"]:
        print(f"{r['side']} / {r['over']}: {r['ratio']:.2f} ({r['low']:.2f}..{r['high']:.2f}), "
              f"memory {r['memory_ratio']:.2f}")  # fmt: skip
