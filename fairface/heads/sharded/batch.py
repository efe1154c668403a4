"""A step's batch of all devices of all processes against the classes of this process's devices, before the margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray as Array

from fairface.heads.base import Margin
from fairface.heads.sharded.rows import BatchRows, mask_of
from fairface.heads.sharded.shard import ClassShard
from fairface.heads.sharded.softmax import add
from fairface.mx import Context, NDArray, autograd
from fairface.parallel import World


@dataclass(frozen=True)
class WholeBatch:
    """The rows of all devices, in the order of one process with all of them.

    Attributes:
        labels: (B,), -1 = unlabeled.
        labeled: (B, 1) on each device of this process, 1 for rows with a label.
        rows: against the classes of each device of this process.
        targets: (B, 1) on each device of this process, ``s`` times the cosines of the targets, wherever those lie.
        places: where the rows of each device of this process stand in the batch.
        world: the devices of all processes.
    """

    labels: Array[np.int32]
    labeled: list[NDArray]
    rows: list[BatchRows]
    targets: list[NDArray]
    places: list[slice]
    world: World

    @property
    def context(self) -> Context:
        """Where the devices' parts of a loss come together."""
        return self.rows[0].embedding.context

    def apart(self, values: NDArray) -> list[NDArray]:
        """Of ``values (B,)`` each device's (b,), in the order of its rows."""
        return [
            values[place].as_in_context(own.embedding.context)
            for place, own in zip(self.places, self.rows, strict=True)
        ]


def labels_of(labels: Sequence[NDArray], world: World) -> Array[np.int32]:
    """(B,): the labels of all devices."""
    with autograd.pause():
        joined: Array[np.int32] = world.join(labels, labels[0].context).asnumpy()
    return joined


def whole_batch(
    embeddings: Sequence[NDArray], labels: Array[np.int32], shards: Sequence[ClassShard],
    columns: Sequence[Array[np.int32]], margin: Margin, world: World,
) -> WholeBatch:  # fmt: skip
    """Bring the embeddings together; gradients of all devices flow back into them.

    Args:
        embeddings: each device's ``(b, D)``.
        labels: from :func:`labels_of`.
        shards: the classes of each device.
        columns: for each device, every row's column among the step's classes, -1 where its target is not there.
        margin: says what a cosine is.
        world: the devices of all processes.
    """
    gathered = world.gather(embeddings)
    rows = [BatchRows(*each) for each in zip(shards, [margin] * len(shards), gathered, columns, strict=True)]
    # A target lies on one device of one process; every other one adds zero.
    target = world.add(add([own.target for own in rows], gathered[0].context))
    counts = [len(own) for own in embeddings]
    before = sum(world.counts(sum(counts))[: world.rank])
    ends = np.cumsum([before, *counts]).tolist()
    return WholeBatch(
        labels,
        [mask_of(labels >= 0, each.context, each.dtype) for each in gathered],
        rows,
        [target.as_in_context(each.context) for each in gathered],
        [slice(begin, end) for begin, end in pairwise(ends)],
        world,
    )
