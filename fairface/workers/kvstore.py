"""The exchange over MXNet's own parameter server (ps-lite), kvstore ``dist_sync``.

Li et al. 2014, "Scaling Distributed Machine Learning with the Parameter Server". Without an optimizer on the server a
key holds the sum of what all workers pushed last, and a pull waits for it.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.mx import NDArray, mx, nd
from fairface.workers.numbers import rounded_length


class KVStoreExchange:
    """Joins the other workers; waits until scheduler, servers and workers are all there.

    Args:
        rank, size: this worker's number and the number of workers; ps-lite's own numbers depend on who comes first.
        on_gpu: add up copies of several devices on a GPU.
    """

    def __init__(self, rank: int, size: int, on_gpu: bool = False) -> None:
        self.rank, self.size = rank, size
        self._store: Any = mx.kv.create("dist_device_sync" if on_gpu else "dist_sync")
        self._known: set[str] = set()
        self._buffers: dict[str, NDArray] = {}

    def prepare(self, name: str, length: int) -> None:
        """Make a key. What a backward pass still exchanges in a thread of its own is awaited: a kvstore must not be
        used while it makes one."""
        self._make(_key(name, (length,)), (length,))

    def sum(self, name: str, vector: NDArray) -> NDArray:
        """The sum over workers, launched; nothing waits."""
        self.prepare(name, len(vector))
        key = _key(name, vector.shape)
        if key not in self._buffers:
            self._buffers[key] = nd.empty(vector.shape, ctx=vector.context)
        # One array for every use of a key: MXNet orders what reads and writes it. With an array of its own each push
        # could overtake the pull before it.
        buffer = self._buffers[key]
        buffer[:] = vector
        self._store.push(key, buffer)
        self._store.pull(key, out=buffer)
        return buffer.copyto(vector.context)

    def sum_in_place(self, name: str, copies: Sequence[NDArray]) -> None:
        """As :meth:`sum`, into ``copies``, which are the same arrays in every call of this name."""
        shape = copies[0].shape
        key = _key(name, shape)
        self._make(key, shape)
        self._store.push(key, copies[0])
        self._store.pull(key, out=list(copies))

    def sum_numbers(self, name: str, values: Array[np.float32]) -> Array[np.float32]:
        """As :meth:`sum`, waited for; lengths are rounded up, so that the server keeps few keys."""
        sent = np.zeros(rounded_length(len(values)), np.float32)
        sent[: len(values)] = values
        total: Array[np.float32] = self.sum(name, nd.array(sent)).asnumpy()
        return total[: len(values)]

    def close(self) -> None:
        """Wait for the others, then leave; the servers end with the last worker."""
        nd.waitall()
        self._store = None
        gc.collect()

    def _make(self, key: str, shape: tuple[int, ...]) -> None:
        if key not in self._known:
            nd.waitall()
            self._store.init(key, nd.zeros(shape))
            self._known.add(key)


def _key(name: str, shape: tuple[int, ...]) -> str:
    return f"{name}:{'x'.join(map(str, shape))}"
