"""The roll call: who is there, and who has died. One process holds it, all others answer (:mod:`.member`).

MXNet's parameter server waits for ever for a process that is gone; its own heartbeats tell a worker of the scheduler
alone. Here every process keeps a connection open and sends a sign of life; when one closes without a good-bye, or is
silent too long, all others are told to stop.

Lines of JSON. From a member: ``{"role", "rank", "host", "process"}`` first, then ``{"beat"}``, and at the end
``{"done"}`` or ``{"failed", "code"}``. To a member: ``{"rank"}`` once all are there, ``{"stop", "code"}``.
"""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fairface.errors import ConfigError
from fairface.parsing import parse_json
from fairface.workers.place import WORKER

LOST = 75  # exit code where a process was lost and another try may succeed (EX_TEMPFAIL of sysexits.h)
_LOOK = 0.05  # seconds between two looks at who is silent
_LONGEST = 1 << 16  # bytes of a line; more comes from no member


@dataclass
class _Caller:
    """One connection; without a role it has not said yet who it is."""

    connection: socket.socket
    heard: float
    buffer: bytes = b""
    role: str = ""
    rank: int | None = None
    where: str = ""
    done: bool = False

    @property
    def name(self) -> str:
        number = "" if self.rank is None else f" {self.rank}"
        return f"{self.role}{number} ({self.where})"


@dataclass
class RollCall:
    """Waits for the expected members, gives workers their numbers, and watches all of them until they are done.

    Args:
        expected: role to number of processes.
        timeout: seconds until all must have come, and without a sign of life after which one counts as dead.
        address, port: to listen at; port 0 = any.

    Attributes:
        failure: why all were told to stop; empty while nothing is wrong.

    Raises:
        ConfigError: the port is in use.
    """

    expected: Mapping[str, int]
    timeout: float
    address: str = "127.0.0.1"
    port: int = 0
    clock: Callable[[], float] = time.monotonic  # a clock that is put right does not matter
    failure: str = ""
    started: bool = False
    _callers: dict[int, _Caller] = field(default_factory=dict)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((self.address, self.port))
        except OSError as error:
            self._listener.close()
            raise ConfigError(f"port {self.port} cannot be used ({error.strerror}); name another one") from error
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._opened = self.clock()
        self._thread = threading.Thread(target=self._run, name="fairface-rollcall", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the roll call; members that are not done take it for a death."""
        self._closed = True
        self._thread.join()
        for caller in self._callers.values():
            caller.connection.close()
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select(_LOOK):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._read(self._callers[key.fd])
            self._look()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(1.0)  # of sending: a member that does not read must not hold up the others
        self._callers[connection.fileno()] = _Caller(connection, self.clock())
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, caller: _Caller) -> None:
        try:
            received = caller.connection.recv(4096)
        except OSError:
            received = b""
        caller.heard = self.clock()
        *lines, caller.buffer = (caller.buffer + received).split(b"\n")
        try:
            for line in lines:
                self._hear(caller, parse_json(line))
        except (ValueError, KeyError, TypeError):
            received = b""  # no member
        if not received or len(caller.buffer) > _LONGEST:
            self._drop(caller)

    def _hear(self, caller: _Caller, said: Mapping[str, Any]) -> None:
        if not isinstance(said, dict):
            raise TypeError("no member")
        if "role" in said:
            self._greet(caller, str(said["role"]), said["rank"], f"process {int(said['process'])} on {said['host']}")
        elif not caller.role:
            raise TypeError("no member: it has not said who it is, and may not stop the others")
        elif "failed" in said:
            caller.done = True
            self._stop(f"{caller.name} stopped: {said['failed']}", int(said["code"]))
        elif "done" in said:
            caller.done = True

    def _greet(self, caller: _Caller, role: str, rank: int | None, where: str) -> None:
        if not self._missing().get(role):
            self._say(caller, {"stop": f"every place of a {role} is taken already", "code": 2})
            return
        caller.role, caller.rank, caller.where = role, None if rank is None else int(rank), where
        self._begin()

    def _begin(self) -> None:
        """Once all are there, tell each worker its number."""
        present = [caller for caller in self._callers.values() if caller.role]
        if self.started or any(self._missing().values()):
            return
        workers = [caller for caller in present if caller.role == WORKER]
        given = [caller.rank for caller in workers if caller.rank is not None]
        if len(set(given)) < len(given):
            self._stop("two workers have the same DMLC_WORKER_ID; give each its own, or none", 2)
            return
        free = iter(sorted(set(range(len(workers))) - set(given)))
        for caller in workers:
            caller.rank = next(free) if caller.rank is None else caller.rank
        self.started = True
        for caller in present:
            self._say(caller, {"rank": caller.rank})

    def _missing(self) -> dict[str, int]:
        roles = [caller.role for caller in self._callers.values()]
        return {role: max(0, count - roles.count(role)) for role, count in self.expected.items()}

    def _look(self) -> None:
        now = self.clock()
        if self.failure or self.over:
            return
        if not self.started and now - self._opened > self.timeout:
            lacking = {role: count for role, count in self._missing().items() if count}
            missing = ", ".join(f"{count} of {self.expected[role]} {role}s" for role, count in lacking.items())
            came = ", ".join(caller.name for caller in self._callers.values() if caller.role) or "nobody"
            self._stop(f"{missing} did not come within {self.timeout:g} s; there: {came}", LOST)
        for caller in list(self._callers.values()):
            if caller.role and not caller.done and now - caller.heard > self.timeout:
                self._stop(f"{caller.name} has given no sign of life for {self.timeout:g} s", LOST)

    @property
    def over(self) -> bool:
        """Whether every worker is done; how servers end then does not matter."""
        workers = [caller for caller in list(self._callers.values()) if caller.role == WORKER]
        return self.started and all(caller.done for caller in workers)

    def _drop(self, caller: _Caller) -> None:
        if caller.role and not caller.done and not self.over:
            self._stop(f"{caller.name} is gone", LOST)
        self._selector.unregister(caller.connection)
        del self._callers[caller.connection.fileno()]
        caller.connection.close()

    def _stop(self, reason: str, code: int) -> None:
        if self.failure:
            return
        self.failure = reason
        for caller in self._callers.values():
            if caller.role:
                self._say(caller, {"stop": reason, "code": code})

    def _say(self, caller: _Caller, said: Mapping[str, Any]) -> None:
        with suppress(OSError):  # its end is met where it is read
            caller.connection.sendall(json.dumps(said).encode() + b"\n")
