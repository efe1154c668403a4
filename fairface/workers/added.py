"""The sum over all workers of an array, recorded by autograd; and what adds nothing to it."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.mx import Context, NDArray, autograd, nd
from fairface.workers.exchange import Exchange
from fairface.workers.numbers import rounded_length

BACKWARD = "'"  # ends the name under which gradients travel


class Added(autograd.Function):
    """Every worker's array, of one shape, to their sum on every worker.

    Backward: whatever a worker computes from the sum depends on every worker's array, so the gradients of all workers
    are added up, and each takes the total.

    Args:
        exchange: joins the workers.
        name: of this sum among those of a step.
    """

    def __init__(self, exchange: Exchange, name: str) -> None:
        super().__init__()
        self._exchange, self._name = exchange, name

    def forward(self, array: NDArray) -> NDArray:
        """The sum; room for the gradients is made too, since all workers must do so in the same order."""
        self._exchange.prepare(self._name + BACKWARD, rounded_length(array.size))
        return added(self._exchange, self._name, array)

    def backward(self, gradient: NDArray) -> NDArray:
        """The sum of all workers' gradients."""
        return added(self._exchange, self._name + BACKWARD, gradient)


def added(exchange: Exchange, name: str, array: NDArray) -> NDArray:
    """The sum over workers of ``array``, which is float32."""
    return exchange.sum(name, padded(array))[: array.size].reshape(array.shape)


def neutral(shape: Sequence[int], context: Context) -> NDArray:
    """What a worker brings where another one has the values: they keep every bit. 0.0 would make 0.0 of their -0.0."""
    return -nd.zeros(tuple(shape), ctx=context)


def padded(array: NDArray) -> NDArray:
    """All values in one vector of a rounded length, zeros at its end."""
    length = rounded_length(array.size)
    flat = array.reshape((-1,))
    if length == array.size:
        return flat
    return nd.concat(flat, nd.zeros((length - array.size,), ctx=array.context), dim=0)
