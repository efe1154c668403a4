"""A file that may not grow, a folder that cannot be written, a clock that jumps."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from unittests.faults.helpers import ROOT, Program, bits, steps, tidy

pytestmark = pytest.mark.faults


def limited(size: int) -> None:
    """No file of this process may become larger than ``size`` bytes; Python ignores the signal and gets an error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_write_that_fails_costs_no_finished_checkpoint(program: Program, unbroken: dict[str, bytes]) -> None:
    """The first checkpoints are there; then parameters can no longer be written whole."""
    with program.start("--quiet") as process:
        while not (program.run / "manifest.json").exists():
            assert process.poll() is None
        process.kill()
        process.communicate()
    saved = steps(program.run)
    largest = max(path.stat().st_size for path in program.run.glob("model-*.params"))
    with program.start("--resume", "--quiet", before=lambda: limited(largest // 2)) as process:
        out, err = process.communicate(timeout=600)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1), err
    assert "cannot be written" in err
    assert steps(program.run) == saved
    assert program.goes_on() == saved[-1]
    assert bits(program.run) == unbroken
    assert tidy(program.run) == []


def test_a_folder_that_cannot_be_made_is_one_line(program: Program) -> None:
    """A file stands where the folder should; the rights of a folder mean nothing to root."""
    program.run.parent.parent.mkdir(parents=True, exist_ok=True)
    program.run.parent.write_text("no folder")
    code, out, err = program.ends("--quiet")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert str(program.run.parent) in err
    assert program.run.parent.read_text() == "no folder"


def test_a_clock_that_jumps_changes_no_bit(program: Program, unbroken: dict[str, bytes]) -> None:
    command = [sys.executable, str(Path(__file__).with_name("jumping.py")), str(program.config), "--quiet"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, cwd=program.home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    times = [json.loads(line)["time"] for line in (program.run / "log.jsonl").read_text().splitlines()]
    assert times != sorted(times)  # the log tells that it jumped
    assert bits(program.run) == unbroken
