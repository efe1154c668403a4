"""Work ahead in threads, in order, and leave no thread behind: the one place that starts threads for work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_BLOCK = 8  # items that a thread of map_in_threads is given at a time: handing one over costs about 20 µs


def work_ahead(plans: Iterable[tuple[T, Sequence[Callable[[], None]]]], threads: int, depth: int) -> Iterator[T]:
    """Yield each plan's result, in order, once its jobs are done; up to ``depth`` plans beyond it are being worked on.

    A plan is (result, jobs): the jobs fill the result and run in ``threads`` threads. Plans themselves are made in the
    caller's thread. A job's exception is raised here, at its plan's turn. However the iteration ends (its end, an
    exception, the caller leaving), jobs not begun are dropped and the threads are joined.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fairface")
    source = iter(plans)
    pending: deque[tuple[T, list[Future[None]]]] = deque()

    def submit(count: int) -> None:
        for result, jobs in islice(source, count):
            pending.append((result, [pool.submit(job) for job in jobs]))

    try:
        submit(depth + 1)
        while pending:
            result, futures = pending.popleft()
            for future in futures:
                future.result()
            submit(1)
            yield result
            del result, futures  # or the consumer's last batch would live on while the next is waited for
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def map_in_threads(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """``map`` over threads, in order, working only a little ahead so that memory stays small; ends as
    :func:`work_ahead` does. An exception of ``function`` is raised at the turn of its block of items."""

    def fill(results: list[R], block: list[T]) -> None:
        results.extend(map(function, block))

    def plans() -> Iterator[tuple[list[R], list[Callable[[], None]]]]:
        rest = iter(items)
        while block := list(islice(rest, _BLOCK)):
            results: list[R] = []
            yield results, [partial(fill, results, block)]

    threads = max(1, threads)
    for results in work_ahead(plans(), threads, threads):
        yield from results
