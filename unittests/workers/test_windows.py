"""Vectors in shared memory: sums against a float64 loop, room used again and again, names in any order."""

from __future__ import annotations

import errno
import os
import time

import numpy as np
import pytest

from fairface.errors import TrainingError
from fairface.workers import windows as module
from fairface.workers.windows import PIECE, Windows, room_for
from unittests.workers.together import at_once, descriptors


def vector(rank: int, turn: int, length: int) -> np.ndarray:
    return np.random.default_rng([rank, turn]).normal(size=length).astype(np.float32)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_worker_reads_the_same_sum(size):
    lengths = [1, 2, 7, 200, 256, 5]

    def work(rank, shared):
        opened = Windows(rank, shared)
        window = opened.open("some", 256)
        found = []
        for turn, length in enumerate(lengths):
            window.own[:length] = vector(rank, turn, length)
            window.add(length)
            found.append(window.sum[:length].copy())
        opened.close()
        return found

    results = at_once([lambda r=r, s=s: work(r, s) for r, s in enumerate(descriptors(size))])
    for turn, length in enumerate(lengths):
        expected = np.zeros(length)
        for rank in range(size):
            expected += vector(rank, turn, length).astype(np.float64)
        for found in results:
            np.testing.assert_allclose(found[turn], expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(found[turn], results[0][turn])


def test_the_order_of_summation_is_that_of_the_workers():
    """1e8 and -1e8 cancel before 1 is added; in any other order float32 loses the 1."""
    values = [1e8, -1e8, 1.0]

    def work(rank, shared):
        opened = Windows(rank, shared)
        window = opened.open("some", 6)
        time.sleep(0.02 * (3 - rank))  # the last comes first
        window.own[:6] = values[rank]
        window.add(6)
        found = window.sum[:6].tolist()
        opened.close()
        return found

    assert at_once([lambda r=r, s=s: work(r, s) for r, s in enumerate(descriptors(3))]) == [[1.0] * 6] * 3


def test_names_may_follow_each_other_in_another_order():
    """As in a backward pass, whose gathers go on in a thread beside that of the gradients."""

    def work(rank, shared):
        opened = Windows(rank, shared)
        both = {name: opened.open(name, 4) for name in ("a", "b")}

        def add(name, value):
            both[name].own[:4] = value
            both[name].add(4)
            return float(both[name].sum[3])

        order = [("a", 1.0 + rank), ("b", 10.0 * (rank + 1))]
        (first, one), (second, other) = (order, order[::-1])[rank]

        def later():
            time.sleep(0.05)
            return add(second, other)

        found = dict(zip([first, second], at_once([lambda: add(first, one), later]), strict=True))
        opened.close()
        return found

    assert at_once([lambda r=r, s=s: work(r, s) for r, s in enumerate(descriptors(2))]) == [{"a": 3.0, "b": 30.0}] * 2


def test_waiting_takes_no_core():
    def work(rank, shared):
        opened = Windows(rank, shared)
        window = opened.open("some", 4)
        if rank:
            time.sleep(0.6)
        before = time.thread_time()
        window.add(4)
        spent = time.thread_time() - before
        opened.close()
        return spent

    assert max(at_once([lambda r=r, s=s: work(r, s) for r, s in enumerate(descriptors(2))])) < 0.1


def test_nothing_stays_open():
    before = len(os.listdir("/proc/self/fd"))
    shared = descriptors(2)
    at_once([lambda r=r, s=s: Windows(r, s).close() for r, s in enumerate(shared)])
    assert len(os.listdir("/proc/self/fd")) == before


def test_memory_that_is_not_there_is_one_line(monkeypatch):
    def full(*of):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "posix_fallocate", full)
    opened = Windows(0, descriptors(1)[0])
    with pytest.raises(TrainingError, match=r"^8192 bytes of memory .*No space left.*; free some, or use fewer"):
        opened.open("some", 1000)
    opened.close()


@pytest.mark.parametrize(
    ("length", "room"), [(0, 256), (1, 256), (257, 512), (512, 512), (PIECE, PIECE), (PIECE + 1, PIECE)]
)
def test_few_different_rooms(length, room):
    assert room_for(length) == room
