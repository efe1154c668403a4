"""Work in several processes, and what becomes of it when the system kills one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from fairface.data.formats import OpenOptions
from fairface.data.inspection import records
from fairface.data.processes import map_processes
from fairface.errors import ConfigError, DataError

KILLED = "a worker process was killed, most likely because memory ran out; "


def square(number: int) -> int:
    return number * number


def kill_at_seven(number: int) -> int:
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return number


def kill_any(task: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number: int) -> None:
    raise DataError(f"record {number}: is damaged")


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def test_every_result_comes_once() -> None:
    assert sorted(map_processes(square, range(20), 2, "numbers")) == [number**2 for number in range(20)]


@pytest.mark.parametrize(("jobs", "remedy"), [(1, "free memory"), (2, r"use fewer processes \(--jobs, now 2\)")])
def test_a_process_that_is_killed_ends_in_one_line(jobs: int, remedy: str) -> None:
    before = children()
    with pytest.raises(DataError, match=f"^photos: {KILLED}{remedy}") as caught:
        list(map_processes(kill_at_seven, range(1000), jobs, "photos"))
    assert "\n" not in str(caught.value)
    until = time.monotonic() + 5
    while children() - before and time.monotonic() < until:  # the start method's own helper process may stay
        if all(b"spawn_main" not in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children() - before):
            break
    assert time.monotonic() < until


def test_an_error_of_a_task_is_handed_on() -> None:
    with pytest.raises(DataError, match="record 0: is damaged"):
        list(map_processes(fail, [0], 2, "photos"))


def test_no_process_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="jobs is 0"):
        list(map_processes(square, [1], 0, "numbers"))


def test_inspection_names_the_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_check", kill_any)
    with pytest.raises(DataError, match=rf"data: {KILLED}use fewer processes"):
        records.check_records("data", OpenOptions(), 4, False, 2)
