"""From a batch of all devices to the class loss of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairface.heads.base import Margin, Target
from fairface.heads.classifier import lengths
from fairface.heads.sharded.batch import WholeBatch
from fairface.heads.sharded.softmax import Parts, cross_entropy, is_correct, part_of, together
from fairface.mx import NDArray, nd


@dataclass(frozen=True)
class Classified:
    """A step's result, per device, in the order of its rows.

    Attributes:
        losses: (b,) each, 0 and without gradient for rows with label -1. The caller takes the mean.
        correct: (b,) each, 1 where the target scores highest without margin (of the step's classes), else 0.
    """

    losses: list[NDArray]
    correct: list[NDArray]


def losses_of(
    batch: WholeBatch, margin: Margin, statistics: Sequence[Sequence[NDArray]], smoothing: float, columns: float
) -> Classified:
    """The losses of a step, which every process computes of all rows and each device keeps of its own.

    Args:
        batch: the rows of all devices.
        margin: of all classes; it is applied where the classes are.
        statistics: each device's further arguments of the margin, of the whole batch.
        smoothing: share of the target spread over all classes of the step.
        columns: number of those classes, on all devices.
    """
    own = [_part(batch, device, margin, values, smoothing) for device, values in enumerate(statistics)]
    parts = together(own, batch.world, batch.context)
    labeled = batch.labeled[0].reshape((-1,))
    losses = cross_entropy(parts, labeled, smoothing, columns)
    correct = is_correct(parts, batch.targets[0].reshape((-1,)), labeled)
    return Classified(batch.apart(losses), batch.apart(correct))


def _part(batch: WholeBatch, device: int, margin: Margin, statistics: Sequence[NDArray], smoothing: float) -> Parts:
    own, target = batch.rows[device], None
    if margin.uses_label:
        target = Target(batch.targets[device] * (1.0 / margin.s), batch.labeled[device], own.column, own.mask)
    length = lengths(nd, own.embedding) if margin.uses_length else None
    logits = margin(nd, own.scaled, target, length, *(value.astype(own.scaled.dtype) for value in statistics))
    return part_of(logits, own.column, own.is_own, own.highest, smoothing)
