"""fairface.threads."""

import gc
import threading
import time

import pytest

from fairface.threads import map_in_threads, work_ahead


def threads_of_ours():
    return [thread for thread in threading.enumerate() if thread.name.startswith("fairface")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    assert not threads_of_ours()
    yield
    gc.collect()
    assert not threads_of_ours()


def test_dropped_jobs_are_not_run():
    done = []

    def slow(i):
        time.sleep(0.02)
        done.append(i)

    plans = ((i, [lambda i=i: slow(i)]) for i in range(100))
    results = work_ahead(plans, threads=1, depth=50)
    assert next(results) == 0
    results.close()
    assert done == list(range(len(done)))
    assert len(done) < 10


def test_work_ahead_is_bounded():
    made = []

    def plans():
        for i in range(100):
            made.append(i)
            yield i, []

    results = work_ahead(plans(), threads=1, depth=3)
    for i in range(5):
        assert next(results) == i
        assert len(made) <= i + 5
    results.close()


def test_map_in_threads_keeps_order_and_works_only_a_little_ahead():
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    results = map_in_threads(lambda i: i * i, items(), 3)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(taken) <= 8 * (3 + 2)  # blocks of 8: the one handed out, and one more than there are threads
    results.close()


@pytest.mark.parametrize(("items", "threads"), [(0, 3), (1, 0), (8, 2), (9, 5), (100, 1)])
def test_map_in_threads_is_map(items, threads):
    assert list(map_in_threads(str, range(items), threads)) == [str(i) for i in range(items)]


def test_the_first_error_in_order_is_raised_and_nothing_is_begun_after_it():
    begun = []

    def work(i):
        begun.append(i)
        if i == 20:
            time.sleep(0.05)
        if i >= 20:
            raise ValueError(f"item {i}")
        return i

    results = map_in_threads(work, range(10_000), 4)
    kept = []
    with pytest.raises(ValueError, match=r"item 20$"):
        kept.extend(results)
    assert kept == list(range(16))  # blocks of 8: item 20 is in the third
    assert len(begun) < 100


def test_an_error_of_the_items_ends_the_threads():
    def items():
        yield from range(50)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(map_in_threads(str, items(), 2))
