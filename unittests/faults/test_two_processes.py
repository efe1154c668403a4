"""Two processes on one folder: the second is refused in one line, the first notices nothing."""

from __future__ import annotations

import signal

import pytest

from unittests.faults.helpers import Program, bits
from unittests.faults.test_kill import wait_for

pytestmark = pytest.mark.faults


def test_the_second_is_refused_and_the_first_goes_on(program: Program, unbroken: dict[str, bytes]) -> None:
    with program.start("--quiet") as first:
        wait_for(program.run / "manifest.json")
        first.send_signal(signal.SIGSTOP)  # it must not be done before the others have tried
        before = {path.name: path.read_bytes() for path in program.run.iterdir() if path.is_file()}
        for options in ((), ("--resume",), ("--overwrite",)):
            code, out, err = program.ends(*options)
            assert (code, out) == (2, "")
            assert err.count("\n") == 1
            assert "another process trains in it" in err
        assert {path.name: path.read_bytes() for path in program.run.iterdir() if path.is_file()} == before
        first.send_signal(signal.SIGCONT)
        assert (first.communicate(timeout=60), first.returncode) == (("", ""), 0)
    assert bits(program.run) == unbroken


def test_the_lock_dies_with_its_process(program: Program, unbroken: dict[str, bytes]) -> None:
    with program.start("--quiet") as first:
        wait_for(program.run / "manifest.json")
        first.kill()
    assert (program.run / ".lock").exists()
    assert program.goes_on() > 0
    assert bits(program.run) == unbroken
