"""The processes that train together: started, watched, and none left behind."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import IO, Any

from fairface.cli import tell
from fairface.workers.hosts import Host
from fairface.workers.place import SCHEDULER, SERVER, WORKER, Place, check_port, free_port
from fairface.workers.rollcall import LOST, RollCall
from fairface.workers.start import Command

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE = 5.0  # seconds in which processes that are told to stop may do so
_LOOK = 0.05  # seconds between two looks at who has ended


class Group:
    """The processes of one try; none of them outlives it.

    Beside the workers there are MXNet's scheduler here and a server on each machine.

    Args:
        machines: this one first, with each one's number of workers.
        command: what they run.
        address: of this machine, for the others.
        timeout: seconds without a sign of life after which a process counts as dead.
        port: of the scheduler; 0 = any that is free.
        mark: of the launch, for the run's manifest.

    Attributes:
        signalled: whether a signal asked for the end; it is handed on to the workers.

    Raises:
        ConfigError: the port is in use.
    """

    def __init__(
        self, machines: Sequence[Host], command: Command, address: str, timeout: float, port: int, mark: str = ""
    ) -> None:
        self.machines, self.command = machines, command
        self.signalled = False
        self._before: dict[int, Any] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._workers = sum(host.slots for host in machines)
        servers = len(machines)
        port = port or free_port(address)
        check_port(address, port)
        self._roll = RollCall({WORKER: self._workers, SERVER: servers, SCHEDULER: 1}, timeout, address)
        self._place = Place(
            SCHEDULER, address, port, self._workers, servers, timeout=timeout, roll_call=(address, self._roll.port),
            mark=mark,
        )  # fmt: skip
        # What others than worker 0 say is shown only where worker 0 cannot speak.
        self._said: list[IO[bytes]] = []

    def __enter__(self) -> Group:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._hand_on)
        for place, host in self._places():
            said = None
            if place.role != WORKER or place.rank != 0:
                said = tempfile.TemporaryFile()
                self._said.append(said)
            self._processes.append(self.command.start(place, said, host))
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
        workers = self._processes[: self._workers]
        end = float("inf")
        while time.monotonic() < end and any(process.poll() is None for process in workers):
            # Worker 0 may score for long what it has trained; how a server ends meanwhile does not matter.
            counted = workers if self._roll.over else self._processes
            broken = self._roll.failure or any(process.poll() not in (None, 0) for process in counted)
            if broken and end == float("inf"):
                end = time.monotonic() + _GRACE
            time.sleep(_LOOK)
        codes = [process.poll() for process in workers]
        if codes[0] is not None and codes[0] >= 0 and (codes[0] or not any(codes)):
            return codes[0]
        self._tell_what_happened(codes)
        return next((code for code in codes if code is not None and 0 < code < LOST), LOST)

    def _places(self) -> Iterator[tuple[Place, str]]:
        """Where each process belongs, and the machine's name where it is another one; workers come first."""
        rank = 0
        for number, host in enumerate(self.machines):
            for local_rank in range(host.slots):
                place = replace(self._place, role=WORKER, rank=rank, local_rank=local_rank, local_size=host.slots)
                yield place, host.name if number else ""
                rank += 1
        yield self._place, ""
        for number, host in enumerate(self.machines):
            yield replace(self._place, role=SERVER), host.name if number else ""

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        """One worker that is told suffices: all stop after the same step."""
        self.signalled = True
        for process in self._processes[: self.machines[0].slots]:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    def _tell_what_happened(self, codes: Sequence[int | None]) -> None:
        """Worker 0 was killed, or did not get as far as saying what is wrong."""
        reason = self._roll.failure
        if not reason:
            ended = [*codes, *(process.poll() for process in self._processes[self._workers :])]
            number = next((place for place, code in enumerate(ended) if code), 0)
            lines = self._last_words(number)
            reason = f"{self._name(number)} ended with exit code {ended[number]}" + (f": {lines[-1]}" if lines else "")
        tell([f"error: {reason}; --resume goes on from the last checkpoint"])

    def _name(self, process: int) -> str:
        if process < self._workers:
            return f"worker {process}"
        return SCHEDULER if process == self._workers else SERVER

    def _last_words(self, process: int) -> list[str]:
        if not process:
            return []  # worker 0 has said them itself
        self._said[process - 1].seek(0)
        return self._said[process - 1].read().decode(errors="replace").strip().splitlines()
