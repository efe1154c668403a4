"""A tiny run as a program of its own, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fairface.checkpoints import resolve
from fairface.config.load import dump
from fairface.parameters import load_arrays
from unittests.training.helpers import tiny_config

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "train" / "train.py")]
WATCHED = [sys.executable, str(Path(__file__).with_name("watched.py"))]
SAVE_EVERY = 3


class Program:
    """The training program on one configuration, in a folder of its own.

    Args:
        home: where the configuration and the run lie.
        data: folder of people.
        overrides: of :func:`unittests.training.helpers.tiny_config`.
    """

    def __init__(self, home: Path, data: Path, *overrides: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.run = home / "models" / "tiny"
        plain = ("verify.every=0", "verify.sets=", f"save_every={SAVE_EVERY}", "log.every=1", *overrides)
        self.config = home / "config.yaml"
        self.config.write_text(dump(tiny_config(home, data, *plain)), encoding="utf-8")

    def start(
        self, *options: str, watch: dict[str, Any] | None = None, before: Callable[[], object] = str, **settings: Any
    ) -> subprocess.Popen[str]:
        """Start the program, ``watched.py`` where ``watch`` is given.

        It heeds SIGHUP even where these tests run under nohup; ``before`` is called in its process first.
        """
        seen = [*WATCHED, json.dumps({"folder": str(self.run), **watch})] if watch else PROGRAM

        def first() -> None:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            before()

        plain = {"preexec_fn": first, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **settings}
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen([*seen, str(self.config), *options], env=environment, cwd=self.home, **plain)

    def ends(self, *options: str, watch: dict[str, Any] | None = None) -> tuple[int, str, str]:
        """Exit code (minus the signal's number where one killed it), standard output and standard error."""
        with self.start(*options, watch=watch) as process:
            out, err = process.communicate(timeout=600)
        return process.returncode, out, err

    def goes_on(self) -> int:
        """Start the program again as its own advice says, until its end; returns the step from which it went on."""
        saved = (self.run / "manifest.json").is_file()
        start = steps(self.run)[-1] if saved else 0
        code, _, err = self.ends("--resume" if saved else "--overwrite", "--quiet")
        assert (code, err) == (0, "")
        return start


def steps(run: Path) -> list[int]:
    """Steps of the checkpoints that the manifest names."""
    return [entry["step"] for entry in json.loads((run / "manifest.json").read_text())["checkpoints"]]


def bits(run: Path) -> dict[str, bytes]:
    """Every parameter and every array of the optimizer's state in the newest checkpoint."""
    files = resolve(f"{run}@last", with_state=True)
    loaded = [load_arrays(str(file)) for file in (files.params, files.blocks, files.state)]
    return {name: array.asnumpy().tobytes() for arrays in loaded for name, array in arrays.items()}


def tidy(run: Path) -> Sequence[str]:
    """What lies in a run's folder that no run should leave there: parts, and checkpoints that no manifest names."""
    named = set(json.loads((run / "manifest.json").read_text())["sha256"])
    names = {path.name for path in run.iterdir()}
    parts = {name for name in names if name.startswith(".") and name != ".lock"}
    return sorted(parts | {name for name in names if name.endswith(".params") and name not in named})
