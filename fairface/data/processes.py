"""Work handed to several processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from fairface.errors import ConfigError, DataError

T = TypeVar("T")
R = TypeVar("R")


def map_processes(
    function: Callable[[T], R],
    tasks: Iterable[T],
    jobs: int,
    source: str,
    start: Callable[..., object] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[R]:
    """The results of ``function`` for all tasks, as they come in; ``jobs`` processes work a few tasks ahead.

    Args:
        function: defined at the top of a module, as the processes must find it.
        tasks: what it is called with, one after the other.
        jobs: number of processes.
        source: what is worked on, for messages.
        start: called in each process when it begins, with ``arguments``.

    Raises:
        ConfigError: fewer than one process.
        DataError: a process was killed, as the system does when memory runs out. The others have ended then, too.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; at least one process is needed")
    level = logging.getLogger("fairface").level
    executor = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_begin, initargs=(level, start, arguments)
    )
    waiting: set[Future[R]] = set()
    try:
        for task in tasks:
            waiting.add(executor.submit(function, task))
            if len(waiting) >= 4 * jobs:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenProcessPool as error:
        remedy = f"use fewer processes (--jobs, now {jobs})" if jobs > 1 else "free memory, or make the images smaller"
        raise DataError(
            f"{source}: a worker process was killed, most likely because memory ran out; {remedy}"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _begin(level: int, start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    """Begin a worker process: what its parent does not log, it does not log either."""
    logging.getLogger("fairface").setLevel(level)
    if start is not None:
        start(*arguments)
