"""Softmax cross-entropy over classes on several devices, exact: a few numbers of each row travel, no logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairface.mx import Context, NDArray, autograd, nd
from fairface.parallel import World


@dataclass(frozen=True)
class Parts:
    """What G devices know of the rows' losses, each ``(G, B)``.

    Attributes:
        log_sum: logarithm of the sum of a device's logits' exponentials.
        target: the target's logit, 0 where it is not on the device.
        highest: the highest cosine of other classes than the target, times ``s``; no gradient.
        sum: sum of the logits; None without label smoothing.
    """

    log_sum: NDArray
    target: NDArray
    highest: NDArray
    sum: NDArray | None = None


def part_of(logits: NDArray, column: NDArray, own: NDArray, highest: NDArray, smoothing: float) -> Parts:
    """What one device knows by its ``logits (B, c)``.

    Args:
        logits: with margins.
        column: (B,), the target's column, any where it is not here.
        own: (B, 1), 1 where the target is here, else 0.
        highest: (B, 1), see :class:`Parts`.
        smoothing: as in :class:`fairface.heads.loss.CrossEntropy`.
    """
    at_column = nd.pick(logits, column, axis=1, keepdims=True)
    # log_softmax is one stable operator with a backward pass of its own; the sum is what it took off the logit.
    log_sum = at_column - nd.pick(nd.log_softmax(logits, axis=1), column, axis=1, keepdims=True)
    values = [log_sum, at_column * own, highest]
    if smoothing:
        values.append(nd.sum(logits, axis=1, keepdims=True))
    return Parts(*(value.reshape((1, -1)) for value in values))


def together(parts: Sequence[Parts], world: World, context: Context) -> Parts:
    """The parts of all devices of all processes on one device; recorded by autograd.

    Args:
        parts: of this process's devices.
        world: the devices of all processes.
        context: where they come together.
    """
    # As one array, since each exchange between processes has a cost of its own.
    known = [[part.log_sum, part.target, part.highest, part.sum] for part in parts]
    stacked = [nd.stack(*[value for value in values if value is not None], axis=1) for values in known]
    whole = world.join(stacked, context)
    return Parts(*(nd.slice_axis(whole, 1, number, number + 1).flatten() for number in range(whole.shape[1])))


def cross_entropy(parts: Parts, labeled: NDArray, smoothing: float, columns: float) -> NDArray:
    """Loss of every row (B,); 0 and without gradient for rows without label.

    Args:
        parts: of all devices.
        labeled: (B,), 1 for rows with a label, where the parts are.
        smoothing: share of the target spread over all classes of the step.
        columns: number of those classes.
    """
    log_sum = log_sum_of(parts.log_sum)
    loss = log_sum - parts.target.sum(axis=0)
    if parts.sum is not None:
        loss = loss * (1.0 - smoothing) + (log_sum - parts.sum.sum(axis=0) / columns) * smoothing
    return nd.where(labeled, loss, nd.zeros_like(loss))


def is_correct(parts: Parts, target: NDArray, labeled: NDArray) -> NDArray:
    """(B,): 1 where the target's cosine is above those of all other classes, 0 else and for rows without a label.

    Args:
        parts: of all devices.
        target: (B,), ``s`` times the cosines of the targets.
        labeled: (B,), as in :func:`cross_entropy`.
    """
    with autograd.pause():
        return (target > parts.highest.max(axis=0)) * labeled


def log_sum_of(parts: NDArray) -> NDArray:
    """(B,): the logarithm of the summed exponentials of ``parts (G, B)``; the largest is taken off first."""
    if len(parts) == 1:
        return parts.reshape((-1,))
    with autograd.pause():
        largest = parts.max(axis=0, keepdims=True)
    return nd.log(nd.exp(nd.broadcast_sub(parts, largest)).sum(axis=0)) + largest.reshape((-1,))


def add(parts: Sequence[NDArray], context: Context) -> NDArray:
    """The sum of this process's devices' arrays on one of them; recorded by autograd."""
    if len(parts) == 1:
        return parts[0].as_in_context(context)
    return nd.add_n(*[part.as_in_context(context) for part in parts])
