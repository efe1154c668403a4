"""Work ahead in threads, in order, and leave no thread behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def prefetch(plans: Iterable[tuple[T, Sequence[Callable[[], None]]]], threads: int, depth: int) -> Iterator[T]:
    """Yield each plan's result, in order, once its jobs are done; up to ``depth`` plans beyond it are being worked on.

    A plan is (result, jobs): the jobs fill the result and run in ``threads`` threads. Plans themselves are made in the
    caller's thread. A job's exception is raised here, at its plan's turn. However the iteration ends (its end, an
    exception, the caller leaving), jobs not begun are dropped and the threads are joined.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fairface-loader")
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
