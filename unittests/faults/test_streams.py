"""Terminals that close, pipes that nobody reads, standard output that is closed or full: nothing trained is lost."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from unittests.faults.helpers import PROGRAM, ROOT, SAVE_EVERY, Program, bits, steps
from unittests.faults.test_kill import wait_for

pytestmark = pytest.mark.faults


def shell(program: Program, redirected: str, *options: str) -> tuple[int, str]:
    """Exit code of the program itself, and what came out, of a line of bash."""
    line = " ".join([*PROGRAM, str(program.config), *options, redirected]) + "; echo code ${PIPESTATUS[0]} >&9"
    codes = program.home / "codes"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", f"exec 9>{codes}; {line}"], env=environment, cwd=program.home, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    return int(codes.read_text().split()[1]), done.stdout + done.stderr


def test_a_pipe_that_nobody_reads(program: Program, unbroken: dict[str, bytes]) -> None:
    code, said = shell(program, "2>&1 | head -1")
    assert code == 128 + signal.SIGPIPE
    assert said.count("\n") == 1
    assert 0 < program.goes_on() < 30
    assert bits(program.run) == unbroken


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_first(program: Program, unbroken: dict[str, bytes], number: signal.Signals) -> None:
    with program.start("--quiet") as process:
        wait_for(program.run / "manifest.json")
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert program.goes_on() > SAVE_EVERY - 1
    assert bits(program.run) == unbroken


def test_under_nohup_the_run_outlives_its_terminal(program: Program, unbroken: dict[str, bytes]) -> None:
    with program.start("--quiet", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        wait_for(program.run / "manifest.json")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert bits(program.run) == unbroken


def test_a_terminal_that_is_closed(program: Program, unbroken: dict[str, bytes]) -> None:
    leader, follower = pty.openpty()
    with program.start(
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        before=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:  # fmt: skip
        os.close(follower)
        while not (program.run / "manifest.json").exists():
            os.read(leader, 1 << 12)
        os.close(leader)  # the system sends SIGHUP, and every write fails
        process.wait(timeout=60)
    assert process.returncode == 128 + signal.SIGHUP
    assert 0 < steps(program.run)[-1] < 30
    assert program.goes_on() > 0
    assert bits(program.run) == unbroken


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 2, "cannot be written (No space left on device)"),
        (">/dev/full 2>/dev/full", 128 + signal.SIGPIPE, ""),
    ],
)
def test_standard_output_that_cannot_be_written(
    tmp_path: Path, people: Path, unbroken: dict[str, bytes], redirected: str, code: int, said: str
) -> None:
    program = Program(tmp_path, people, "steps=30", f"test.sets={people}")
    quiet = () if "2>/dev/full" in redirected else ("--quiet",)
    found, lines = shell(program, redirected, *quiet)
    assert (found, lines.count("\n")) == (code, bool(said))
    assert said in lines
    if quiet:
        assert (program.run / "metrics.json").is_file()
    else:  # standard error is full too: the run was saved and stopped
        assert program.goes_on() > 0
    assert bits(program.run) == unbroken


def test_closed_streams_do_not_end_up_in_files() -> None:
    """What is printed after the streams were closed must not reach the file that was opened next."""
    text = (
        "import os, sys; from fairface.cli import run\n"
        "def main(argv):\n"
        "    handle = os.open(os.devnull, os.O_RDONLY)\n"
        "    os.write(1, b'x'); os.write(2, b'y'); print('z'); print('z', file=sys.stderr)\n"
        "    return 7 if handle > 2 else 1\n"
        "run(main, [])"
    )
    line = f'exec <&- >&- 2>&-; exec {sys.executable} -c "{text}"'
    done = subprocess.run(["bash", "-c", line], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 7
