"""A process's side of the roll call (:mod:`.rollcall`): signs of life, and an end when another process is lost."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from fairface.errors import TrainingError
from fairface.parsing import parse_json
from fairface.printable import printable
from fairface.workers.place import Place
from fairface.workers.rollcall import LOST

Leave = Callable[[str, int], None]
_BEATS = 10  # signs of life within the timeout
_RETRY = 0.1  # seconds


def leave(reason: str, code: int) -> None:
    """Say why and end the process at once: its main thread may wait in MXNet for somebody who is gone."""
    with suppress(OSError):
        print(f"error: {printable(reason)}; --resume goes on from the last checkpoint", file=sys.stderr, flush=True)
    os._exit(code)


class Member:
    """Answers the roll call from a thread until :meth:`done` or :meth:`failed`.

    Args:
        place: this process's place.
        leave: called with the reason and the exit code when all are told to stop, or the roll call is gone.

    Raises:
        TrainingError: the roll call does not answer within the place's timeout.
    """

    def __init__(self, place: Place, leave: Leave = leave) -> None:
        self.place = place
        self.rank = place.rank
        self._leave = leave
        self._connection = _connected(place)
        self._begun = threading.Event()
        self._saying = threading.Lock()
        self._finished = False
        self._leaving = False
        self._say({"role": place.role, "rank": place.rank, "host": socket.gethostname(), "process": os.getpid()})
        self._thread = threading.Thread(target=self._run, name="fairface-member", daemon=True)
        self._thread.start()

    def wait_for_all(self) -> int:
        """Wait until every process is there; returns this worker's number (0 for others)."""
        self._begun.wait()
        return self.rank or 0

    def done(self) -> None:
        """Say that this process has done its work; what becomes of the others changes its exit code no more."""
        self._finished = True
        self._say({"done": 1})

    def failed(self, reason: str, code: int) -> None:
        """Tell the others that this process stops."""
        self._leaving = True
        self._say({"failed": reason, "code": code})

    def close(self) -> None:
        """Part; without a word before, the others take it for a death."""
        self._leaving = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        buffer, interval = b"", self.place.timeout / _BEATS
        while not self._leaving:
            readable, _, _ = select.select([self._connection], [], [], interval)
            if not readable:
                self._say({"beat": 1})
                continue
            try:
                received = self._connection.recv(4096)
            except OSError:
                received = b""
            *lines, buffer = (buffer + received).split(b"\n")
            for line in lines:
                self._hear(parse_json(line))
            if not received:
                self._stop("the process that holds the roll call is gone", LOST)
                return

    def _hear(self, said: Mapping[str, Any]) -> None:
        if "stop" in said:
            self._stop(str(said["stop"]), int(said["code"]))
        elif not self._begun.is_set():
            self.rank = said["rank"]
            self._begun.set()

    def _stop(self, reason: str, code: int) -> None:
        if self._leaving:
            return
        self._leaving = True
        if self._finished:
            os._exit(0)  # its part is done and saved; the others will not come to say good-bye
        self._leave(reason, code)

    def _say(self, said: Mapping[str, Any]) -> None:
        with suppress(OSError), self._saying:  # the roll call's end is met where it is read
            self._connection.sendall(json.dumps(said).encode() + b"\n")


def _connected(place: Place) -> socket.socket:
    address, port = place.called_at
    end = time.monotonic() + place.timeout
    while True:
        try:
            return socket.create_connection((address, port), timeout=place.timeout)
        except OSError as error:
            if time.monotonic() > end:
                raise TrainingError(
                    f"{address}:{port} does not answer within {place.timeout:g} s ({error}); is the scheduler running?"
                ) from error
            time.sleep(_RETRY)
