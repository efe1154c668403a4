"""Softmax cross-entropy over classes that lie on several devices, exact: only (B, 1) arrays travel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairface.mx import Context, NDArray, autograd, nd


@dataclass(frozen=True)
class Part:
    """One device's share of a row's loss, each ``(B, 1)`` on that device.

    Attributes:
        log_sum: logarithm of the sum of its logits' exponentials.
        target: the target's logit, 0 where it is not here.
        sum: sum of the logits; None without label smoothing.
        columns: number of its classes.
    """

    log_sum: NDArray
    target: NDArray
    sum: NDArray | None
    columns: int


def part_of(logits: NDArray, column: NDArray, own: NDArray, smoothing: float) -> Part:
    """The share of ``logits (B, c)``.

    Args:
        logits: with margins.
        column: (B,), the target's column, any where it is not here.
        own: (B, 1), 1 where the target is here, else 0.
        smoothing: as in :class:`fairface.heads.loss.CrossEntropy`.
    """
    at_column = nd.pick(logits, column, axis=1, keepdims=True)
    # log_softmax is one stable operator with a backward pass of its own; the sum is what it took off the logit.
    log_sum = at_column - nd.pick(nd.log_softmax(logits, axis=1), column, axis=1, keepdims=True)
    total = nd.sum(logits, axis=1, keepdims=True) if smoothing else None
    return Part(log_sum, at_column * own, total, logits.shape[1])


def cross_entropy(parts: Sequence[Part], labeled: NDArray, smoothing: float) -> NDArray:
    """Loss of every row (B, 1); 0 and without gradient for rows without label.

    Args:
        parts: of all devices.
        labeled: (B, 1), 1 for rows with a label, on the device where the parts come together.
        smoothing: share of the target spread over all classes of the step.
    """
    context = labeled.context
    log_sum = log_sum_of([part.log_sum for part in parts], context)
    loss = log_sum - add([part.target for part in parts], context)
    if smoothing:
        mean = add([part.sum for part in parts if part.sum is not None], context) / sum(part.columns for part in parts)
        loss = loss * (1.0 - smoothing) + (log_sum - mean) * smoothing
    return nd.where(labeled, loss, nd.zeros_like(loss))


def log_sum_of(parts: Sequence[NDArray], context: Context) -> NDArray:
    """The logarithm of the summed exponentials, each ``(B, 1)``; the largest is taken off first."""
    if len(parts) == 1:
        return parts[0].as_in_context(context)
    together = nd.concat(*[part.as_in_context(context) for part in parts], dim=1)
    with autograd.pause():
        largest = together.max(axis=1, keepdims=True)
    return nd.log(nd.exp(nd.broadcast_sub(together, largest)).sum(axis=1, keepdims=True)) + largest


def add(parts: Sequence[NDArray], context: Context) -> NDArray:
    """The sum of all devices' arrays on one device; recorded by autograd."""
    if len(parts) == 1:
        return parts[0].as_in_context(context)
    return nd.add_n(*[part.as_in_context(context) for part in parts])
