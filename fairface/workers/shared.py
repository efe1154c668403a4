"""The exchange in memory that all workers of one machine share: no server, and nothing goes through a socket."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.mx import NDArray, nd
from fairface.workers.segment import Shared
from fairface.workers.windows import PIECE, Window, Windows

_IN_PLACE = "in place"


class SharedExchange:
    """Joins the other workers of this machine. Calls wait: for the vector, for the others, for the sum.

    Args:
        rank: this worker's number.
        shared: its descriptors.
    """

    def __init__(self, rank: int, shared: Shared) -> None:
        self.rank, self.size = rank, len(shared.bells)
        self._windows = Windows(rank, shared)
        self._views: dict[int, tuple[NDArray, NDArray]] = {}

    def prepare(self, name: str, length: int) -> None:
        """Open the window."""
        self._windows.open(name, length)

    def sum(self, name: str, vector: NDArray) -> NDArray:
        """The sum over workers, in an array of its own."""
        total = nd.empty(vector.shape, ctx=vector.context)
        self._add(self._windows.open(name, len(vector)), vector, [total])
        return total

    def sum_in_place(self, name: str, copies: Sequence[NDArray]) -> None:
        """As :meth:`sum`, into ``copies``. One window serves all names, whose calls have one order on all workers."""
        flat = [copy.reshape((-1,)) for copy in copies]
        self._add(self._windows.open(_IN_PLACE, PIECE), flat[0], flat)

    def sum_numbers(self, name: str, values: Array[np.float32]) -> Array[np.float32]:
        """Few numbers, past MXNet: what it has still to do is not awaited."""
        window = self._windows.open(name, len(values))
        total = np.empty(len(values), np.float32)
        for begin in range(0, len(values), len(window.own)):
            piece = values[begin : begin + len(window.own)]
            window.own[: len(piece)] = piece
            window.add(len(piece))
            total[begin : begin + len(piece)] = window.sum[: len(piece)]
        return total

    def close(self) -> None:
        """Wait for the others, then leave."""
        nd.waitall()
        self._windows.close()

    def _add(self, window: Window, source: NDArray, targets: Sequence[NDArray]) -> None:
        own, total = self._views_of(window)
        for begin in range(0, len(source), len(own)):
            length = min(len(own), len(source) - begin)
            source[begin : begin + length].copyto(own[:length])
            own.wait_to_read()
            window.add(length)
            for target in targets:
                total[:length].copyto(target[begin : begin + length])
            for target in targets:
                target.wait_to_read()  # then the window has been read too, into which others write past MXNet

    def _views_of(self, window: Window) -> tuple[NDArray, NDArray]:
        """The window's vector and sum as MXNet's arrays; they lie in the same memory."""
        if id(window) not in self._views:
            self._views[id(window)] = (_as_mxnet(window.own), _as_mxnet(window.sum))
        return self._views[id(window)]


def _as_mxnet(values: Array[np.float32]) -> NDArray:
    # MXNet marks the array that it is given as read-only: not ours.
    return nd.from_numpy(values[:], zero_copy=True)
