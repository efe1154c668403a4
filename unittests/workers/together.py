"""Workers as threads of one process, over a stand-in for MXNet's kvstore."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from fairface.mx import NDArray, mx, nd
from fairface.workers.world import Workers

T = TypeVar("T")
PATIENCE = 20  # seconds; a worker that makes a call that no other makes fails


class Meetings:
    """What has been brought so far: by name and how often the name was used, each worker's array."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.arrived = threading.Condition()
        self.brought: dict[tuple[str, int], dict[int, np.ndarray[Any, Any]]] = defaultdict(dict)


class ThreadExchange:
    """One thread's place among the others."""

    def __init__(self, meetings: Meetings, rank: int) -> None:
        self.meetings, self.rank, self.size = meetings, rank, meetings.size
        self.calls: Counter[str] = Counter()
        self.prepared: list[tuple[str, int]] = []

    def prepare(self, name: str, length: int) -> None:
        self.prepared.append((name, length))

    def sum(self, name: str, vector: NDArray) -> NDArray:
        total = self._total(name, vector.asnumpy())
        return nd.array(total, ctx=vector.context)

    def sum_in_place(self, name: str, copies: Sequence[NDArray]) -> None:
        total = self._total(name, copies[0].asnumpy())
        for copy in copies:
            copy[:] = nd.array(total, ctx=copy.context)

    def sum_numbers(self, name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        total: np.ndarray[Any, Any] = self._total(name, values)
        return total

    def close(self) -> None:
        self.barrier_passed = True

    def _total(self, name: str, own: Any) -> Any:
        assert own.dtype == np.float32
        meeting = self.meetings.brought[name, self.calls[name]]
        self.calls[name] += 1
        with self.meetings.arrived:
            meeting[self.rank] = own
            self.meetings.arrived.notify_all()
            there = self.meetings.arrived.wait_for(lambda: len(meeting) == self.size, PATIENCE)
        assert there, f"{name}: only {sorted(meeting)} came"
        assert len({array.shape for array in meeting.values()}) == 1
        # As the servers: from the first array on. np.sum begins with 0.0, which makes 0.0 of -0.0.
        return reduce(np.add, [meeting[rank] for rank in range(self.size)])


def at_once(work: Sequence[Callable[[], T]]) -> list[T]:
    """What the functions return, each in a thread of its own; none waits for ever for one that has failed."""
    found: dict[int, T] = {}
    problems: list[BaseException] = []

    def run(number: int) -> None:
        try:
            found[number] = work[number]()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.5 if problems else PATIENCE)
    if problems:
        raise problems[0]
    assert len(found) == len(work), f"only {sorted(found)} came to an end"
    return [found[number] for number in range(len(work))]


def together(size: int, work: Callable[[Workers], T], devices: int = 1) -> list[T]:
    """What ``work`` returns on each of ``size`` workers; worker r has ``devices`` CPUs of its own."""
    meetings = Meetings(size)

    def worker(rank: int) -> T:
        contexts = tuple(mx.cpu(rank * devices + number) for number in range(devices))
        exchange = ThreadExchange(meetings, rank)
        with contexts[0]:
            result = work(Workers(contexts, rank, size, exchange=exchange))
        exchange.close()
        return result

    return at_once([lambda rank=rank: worker(rank) for rank in range(size)])  # type: ignore[misc]
