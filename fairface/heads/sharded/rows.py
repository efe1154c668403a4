"""A whole batch against the classes of one device, before the margin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.heads.base import Margin
from fairface.heads.classifier import scaled_cosines
from fairface.heads.sharded.shard import ClassShard
from fairface.mx import Context, NDArray, autograd, nd

_BELOW_ANY = 1e9  # taken off the target's logit, so that the highest other one is found


class BatchRows:
    """The whole batch on one device.

    Attributes:
        embedding: (B, D).
        column: (B,), the target's column, any where it is not here.
        is_own: (B, 1), 1 where the target is here.
        mask: (B, c), 1 in the target's column.
        scaled: (B, c), ``s`` times the cosines.
        target: (B, 1), those of the targets, 0 where they are not here.
        highest: (B, 1), the highest of the others; no gradient.
    """

    def __init__(self, shard: ClassShard, margin: Margin, embedding: NDArray, columns: Array[np.int32]) -> None:
        context, dtype = embedding.context, shard.active.dtype
        count = len(shard.active)
        self.embedding = embedding
        self.column = nd.array(columns, ctx=context, dtype="int32")
        self.is_own = mask_of(columns >= 0, context, dtype)
        self.mask = nd.one_hot(self.column, count, dtype=np.dtype(dtype).name)
        self.scaled = scaled_cosines(nd, margin, embedding, shard.active, count)
        self.target = nd.pick(self.scaled, self.column, axis=1, keepdims=True) * self.is_own
        with autograd.pause():
            self.highest = (self.scaled - self.mask * _BELOW_ANY).max(axis=1, keepdims=True)


def mask_of(flags: Array[np.bool_], context: Context, dtype: Any) -> NDArray:
    """(B, 1), 1 where a flag is set."""
    return nd.array(flags[:, None], ctx=context, dtype=dtype)
