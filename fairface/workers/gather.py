"""Rows of all workers on every worker, recorded by autograd."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.mx import NDArray, autograd
from fairface.workers.added import BACKWARD, added, neutral
from fairface.workers.exchange import Exchange
from fairface.workers.numbers import rounded_length


class Gather(autograd.Function):
    """``(b, …)`` of this worker to ``(B, …)`` of all, worker after worker.

    Backward: what every worker computes from a row sends its gradient back to that row's worker, so gradients of the
    joined rows are added up over workers and each takes its own.

    Args:
        exchange: joins the workers.
        name: of this gather among those of a step.
        counts: rows of every worker.
    """

    def __init__(self, exchange: Exchange, name: str, counts: Sequence[int]) -> None:
        super().__init__()
        self._exchange, self._name = exchange, name
        first = sum(counts[: exchange.rank])
        self._own, self._rows = slice(first, first + counts[exchange.rank]), sum(counts)

    def forward(self, rows: NDArray) -> NDArray:
        """Joined rows; room for the gradients is made too, since all workers must do so in the same order."""
        values = self._rows * (rows.size // len(rows))
        self._exchange.prepare(self._name + BACKWARD, rounded_length(values))
        return spread(self._exchange, self._name, rows, self._own, self._rows)

    def backward(self, gradient: NDArray) -> NDArray:
        """The whole batch's gradient of this worker's rows."""
        return added(self._exchange, self._name + BACKWARD, gradient)[self._own]


def spread(exchange: Exchange, name: str, rows: NDArray, own: slice, total: int) -> NDArray:
    """``(total, …)``: every worker's rows at their place, by adding up blocks that do not overlap."""
    whole = neutral((total, *rows.shape[1:]), rows.context)
    whole[own] = rows
    return added(exchange, name, whole)
