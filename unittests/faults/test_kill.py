"""kill -9: at random moments, and at every operation of one checkpoint's writing."""

from __future__ import annotations

import json
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from unittests.faults.conftest import STEPS
from unittests.faults.helpers import SAVE_EVERY, Program, bits, steps, tidy

pytestmark = pytest.mark.faults

AT_ONCE = 2  # programs
MOMENTS = 50
WRITTEN = 12  # the checkpoint whose writing is cut off; the one before is to be resumed


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.002)


def killed_after(program: Program, step: int, seconds: float) -> int | None:
    """Kill the program so long after it has saved ``step`` (0: after its folder came); the newest step saved, None
    where it had ended before. Counted in steps, the moments are spread over the run however busy the machine is."""
    with program.start("--quiet") as process:
        wait_for(program.run / "config.yaml")
        while newest(program) < step and process.poll() is None:
            time.sleep(0.005)
        time.sleep(seconds)
        process.kill()
        process.communicate()
    if process.returncode == 0:
        return None
    assert process.returncode == -signal.SIGKILL
    return newest(program)


def newest(program: Program) -> int:
    """The newest step saved, 0 without any."""
    return steps(program.run)[-1] if (program.run / "manifest.json").is_file() else 0


def test_at_random_moments(tmp_path: Path, people: Path, unbroken: dict[str, bytes]) -> None:
    first = Program(tmp_path / "timed", people, f"steps={STEPS}")
    with first.start("--quiet") as process:
        wait_for(first.run / "config.yaml")
        began = time.monotonic()
        wait_for(first.run / f"model-{STEPS:04d}.params")
        length = time.monotonic() - began
        process.communicate()

    def check(number: int) -> int | None:
        program = Program(tmp_path / str(number), people, f"steps={STEPS}")
        rng = random.Random(number)
        found = killed_after(program, number * STEPS // MOMENTS, rng.uniform(0, length / 5))
        if found is not None:
            assert program.goes_on() == found
        assert bits(program.run) == unbroken
        assert tidy(program.run) == []
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(check, range(MOMENTS)))
    print(f"resumed from the steps {found} of {STEPS}")
    assert len({step for step in found if step}) > 5  # killed on the way, not before it or after it


def test_at_every_operation_of_a_checkpoint(tmp_path: Path, people: Path, unbroken: dict[str, bytes]) -> None:
    settings = (f"steps={STEPS}", "keep=2")
    journal = tmp_path / "journal"
    whole = Program(tmp_path / "whole", people, *settings)
    assert whole.ends("--quiet", watch={"step": WRITTEN, "journal": str(journal)})[0] == 0
    operations = [json.loads(line)[0] for line in journal.read_text().splitlines()]
    assert operations[-1] == "done"
    assert {"open", "os.rename", "fsync", "nd.save", "half a file", "os.remove"} <= set(operations)

    def check(at: int) -> int:
        program = Program(tmp_path / str(at), people, *settings)
        code, _, _ = program.ends("--quiet", watch={"step": WRITTEN, "at": at})
        assert code == -signal.SIGKILL
        found = program.goes_on()
        assert bits(program.run) == unbroken
        assert tidy(program.run) == []
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(check, range(1, len(operations) + 1)))
    print(f"{len(found)} operations; resumed from {found}")
    assert found == sorted(found)  # the manifest's rename is the moment from which the new one counts
    assert set(found) == {WRITTEN - SAVE_EVERY, WRITTEN}
    assert found[operations.index("done")] == WRITTEN
