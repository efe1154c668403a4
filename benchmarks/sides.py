"""Frameworks side by side: each in a process of its own that stays alive, measured in turn, compared round by round."""

from __future__ import annotations

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

from fairface.cli import progress
from fairface.errors import FairfaceError

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Kind:
    """How a side is started: its program, what its job gets beside the common part, and the module that it needs."""

    script: str
    extra: Mapping[str, Any]
    needs: str = ""


def command(kind: Kind, python: str, job: Mapping[str, Any]) -> list[str]:
    """How a side is started; ``python`` is the other frameworks' one, ours run in this one."""
    return [python if kind.needs else sys.executable, str(HERE / kind.script), json.dumps({**job, **kind.extra})]


def environment(kind: Kind, job: Mapping[str, Any]) -> dict[str, str]:
    """A side's environment: the threads it may use, and this checkout for our own sides."""
    paths = [] if kind.needs else [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "OMP_NUM_THREADS": str(job["threads"]), "PYTHONPATH": os.pathsep.join(paths)}


class Side:
    """A process that works when told to."""

    def __init__(self, name: str, kind: Kind, python: str, job: Mapping[str, Any]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command(kind, python, job), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(kind, job),
        )  # fmt: skip
        self.rates: list[float] = []
        self.cpu_seconds: list[float] = []
        self.peak_bytes = self.held_bytes = 0
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
        self.peak_bytes, self.held_bytes = answer["peak_bytes"], answer["held_bytes"]

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def measure(kinds: Mapping[str, Kind], python: str, job: Mapping[str, Any], pairs: int, steps: int) -> list[Side]:
    """All sides with their rates, one a round; every second round goes the other way about.

    Args:
        kinds: the sides by name.
        python: the other frameworks' Python.
        job: what all sides are told.
        pairs: rounds.
        steps: steps of a side in a round.

    Raises:
        FairfaceError: a module is missing, a process ended, or the nets differ.
    """
    require(python, kinds)
    sides: list[Side] = []
    try:
        for name, kind in progress(kinds.items(), label="start", unit="side"):
            sides.append(Side(name, kind, python, job))
        counts = {side.about["parameters"] for side in sides}
        if len(counts) != 1:
            raise FairfaceError(f"the nets differ in parameters: {sorted(counts)}; they must be the same net")
        take_turns(sides, pairs, steps, job["batch"])
    finally:
        for side in sides:
            side.stop()
    return sides


def take_turns(sides: Sequence[Side], rounds: int, steps: int, batch: int) -> None:
    """Measure every side once a round, in every second round the last one first."""
    for number in progress(range(rounds), label="rounds"):
        for side in sides if number % 2 == 0 else reversed(sides):
            side.measure(steps, batch)


def require(python: str, kinds: Mapping[str, Kind]) -> None:
    """Raise :class:`FairfaceError` unless ``python`` can import what ``kinds`` need."""
    for module in sorted({kind.needs for kind in kinds.values()} - {""}):
        if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode:
            raise FairfaceError(
                f"{python} cannot import {module}; install torch==2.13.0 (for embed.py also onnx, onnxscript and "
                "onnxruntime) into an environment of its own and name its Python with --torch-python, or measure ours "
                "alone with --sides ours"
            )
