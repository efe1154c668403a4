"""A split head with given centres, and one pass through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairface.config.schema import HeadConfig
from fairface.heads import build_sharded_head
from fairface.heads.sharded import MomentumRule, ShardedClassifier, ShardUpdater
from fairface.mx import Context, autograd, mx, nd
from fairface.parallel import World


@dataclass
class Passed:
    """What a pass gave, rows and classes of all devices joined."""

    losses: np.ndarray
    correct: np.ndarray
    dx: np.ndarray
    dweight: np.ndarray


def contexts(count: int) -> list[Context]:
    return [mx.cpu(number) for number in range(count)]


def sharded(
    config: HeadConfig, weight: np.ndarray, devices: int, dtype: str = "float64", seed: int = 0
) -> tuple[ShardedClassifier, ShardUpdater]:
    """A head with the centres ``weight (C, D)`` on some devices, and what updates it."""
    head = build_sharded_head(config, weight.shape[1], weight.shape[0], seed)
    head.cast(dtype)
    head.initialize(ctx=contexts(devices))
    head.set_arrays({"weight": nd.array(weight, dtype=dtype)}, "test")
    return head, ShardUpdater(head, MomentumRule())


def passed(
    head: ShardedClassifier, updater: ShardUpdater, x: np.ndarray, label: np.ndarray, statistics: Sequence[float] = (),
    scale: float = 1.0,
) -> Passed:  # fmt: skip
    """Losses of the rows, and gradients of ``scale`` times their mean; rows are cut as evenly as they go."""
    places = [shard.context for shard in head.shards]
    dtype = head.shards[0].weight.dtype
    parts = [nd.array(part, ctx=c, dtype=dtype) for part, c in zip(np.array_split(x, len(places)), places, strict=True)]
    labels = [nd.array(part, ctx=c, dtype="int32")
              for part, c in zip(np.array_split(label, len(places)), places, strict=True)]  # fmt: skip
    values = [[nd.array(np.reshape(value, (1,)), ctx=c, dtype=dtype) for value in statistics] for c in places]
    for part in parts:
        part.attach_grad()
    with autograd.record():
        found = head.losses(head.gathered(parts, labels, World(tuple(places))), values)
        means = [rows.sum() * (scale / len(x)) for rows in found.losses]
    autograd.backward(means)
    return Passed(
        losses=np.concatenate([rows.asnumpy() for rows in found.losses]),
        correct=np.concatenate([rows.asnumpy() for rows in found.correct]),
        dx=np.concatenate([part.grad.asnumpy() for part in parts]),
        dweight=np.concatenate([copies[0].asnumpy() for copies in updater.gradients()]),
    )
