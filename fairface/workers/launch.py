"""Scheduler, server and workers on this machine: started, watched, started again, and none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import IO, Any

import fairface
from fairface.checkpoints import MANIFEST
from fairface.cli import tell
from fairface.hardware import physical_cores
from fairface.workers.place import SCHEDULER, SERVER, WORKER, Place, check_port, free_port
from fairface.workers.rollcall import LOST, RollCall

HERE = "127.0.0.1"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE = 5.0  # seconds in which processes that are told to stop may do so
_LOOK = 0.05  # seconds between two looks at who has ended


@dataclass(frozen=True)
class Launch:
    """What is started.

    Attributes:
        config: file with the run's configuration.
        folder: the run's folder, which tells whether there is a checkpoint to go on from.
        workers: how many.
        options: further words of the training program, such as ``--quiet``.
        resume, overwrite: of the first try.
        restarts: tries after the first, each from the last checkpoint.
        timeout: seconds without a sign of life after which a process counts as dead.
        port: of the scheduler; 0 = any that is free.
    """

    config: Path
    folder: Path
    workers: int
    options: Sequence[str] = ()
    resume: bool = False
    overwrite: bool = False
    restarts: int = 0
    timeout: float = 60.0
    port: int = 0


def launch(plan: Launch) -> int:
    """Train with several workers on this machine; returns worker 0's exit code, or 75 where a process was lost.

    Raises:
        ConfigError: the port is in use.
    """
    for attempt in range(plan.restarts + 1):
        with Group(plan) as group:
            code = group.wait()
        if code != LOST or attempt == plan.restarts or group.signalled:
            return code
        saved = (plan.folder / MANIFEST).is_file()
        plan = replace(plan, resume=saved, overwrite=not saved)
        where = "from the last checkpoint" if saved else "from the start"
        tell([f"restart {attempt + 1} of {plan.restarts}, {where}"])
    return code


class Group:
    """The processes of one try; none of them outlives it.

    Attributes:
        signalled: whether a signal asked for the end; it is handed on to the workers.
    """

    def __init__(self, plan: Launch) -> None:
        self.plan = plan
        self.signalled = False
        self._before: dict[int, Any] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        port = plan.port or free_port(HERE)
        check_port(HERE, port)
        self._roll = RollCall({WORKER: plan.workers, SERVER: 1, SCHEDULER: 1}, plan.timeout, HERE)
        self._place = Place(
            SCHEDULER, HERE, port, plan.workers, 1, timeout=plan.timeout, roll_call=(HERE, self._roll.port)
        )
        # What others than worker 0 say is shown only where worker 0 cannot speak.
        self._said: list[IO[bytes]] = [tempfile.TemporaryFile() for _ in range(plan.workers + 2)]  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> Group:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._hand_on)
        places = [replace(self._place, role=WORKER, rank=rank, local_rank=rank, local_size=self.plan.workers)
                  for rank in range(self.plan.workers)]  # fmt: skip
        for place in (*places, self._place, replace(self._place, role=SERVER)):
            self._start(place)
        return self

    def __exit__(self, *problem: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self._roll.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for file in self._said:
            file.close()

    def wait(self) -> int:
        """Wait until all workers have ended, or one has failed and the others had time to say so; the exit code."""
        workers = self._processes[: self.plan.workers]
        end = float("inf")
        while time.monotonic() < end and any(process.poll() is None for process in workers):
            broken = self._roll.failure or any(process.poll() not in (None, 0) for process in self._processes)
            if broken and end == float("inf"):
                end = time.monotonic() + _GRACE
            time.sleep(_LOOK)
        codes = [process.poll() for process in workers]
        if codes[0] is not None and codes[0] >= 0 and (codes[0] or not any(codes)):
            return codes[0]
        self._tell_what_happened(codes)
        return next((code for code in codes if code is not None and 0 < code < LOST), LOST)

    def _start(self, place: Place) -> None:
        plan = self.plan
        words = [str(plan.config), *plan.options]
        words += ["--resume"] * plan.resume + ["--overwrite"] * (plan.overwrite and not plan.resume)
        root = str(Path(fairface.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        threads = str(max(1, physical_cores() // plan.workers))
        environment = {"OMP_NUM_THREADS": threads, **os.environ, **place.environment(), "PYTHONPATH": path}
        quiet = None if place.role == WORKER and place.rank == 0 else self._said[len(self._processes)]
        self._processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "fairface", "train", *words], env=environment, stdin=subprocess.DEVNULL,
                stdout=quiet, stderr=quiet,
                start_new_session=True,  # a terminal's Ctrl-C reaches the workers through this process alone
            )
        )  # fmt: skip

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        self.signalled = True
        for process in self._processes[: self.plan.workers]:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    def _tell_what_happened(self, codes: Sequence[int | None]) -> None:
        """Worker 0 was killed, or did not get as far as saying what is wrong."""
        reason = self._roll.failure
        if not reason:
            number = next((rank for rank, code in enumerate(codes) if code), 0)
            self._said[number].seek(0)
            lines = self._said[number].read().decode(errors="replace").strip().splitlines()
            reason = f"worker {number} ended with exit code {codes[number]}" + (f": {lines[-1]}" if lines else "")
        tell([f"error: {reason}; --resume goes on from the last checkpoint"])
