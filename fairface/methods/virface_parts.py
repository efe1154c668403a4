"""One device's embeddings of a step, labeled and unlabeled, for VirFace."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray as Array

from fairface.mx import Context, NDArray, nd
from fairface.parallel import Shard, World

Keep = Callable[[NDArray], Array[np.int64]]


@dataclass(frozen=True)
class Part:
    """One device's embeddings.

    Attributes:
        labeled: (b, D); ``labels`` (b,) int32 are theirs.
        unlabeled: (u, D), the centres of this device's virtual classes; None where it has none.
        first: how many virtual classes stand before them on other devices.
    """

    labeled: NDArray
    labels: NDArray
    unlabeled: NDArray | None
    first: int

    @property
    def context(self) -> Context:
        """The device."""
        return self.labeled.context

    @property
    def count(self) -> int:
        """u, virtual classes of this device."""
        return 0 if self.unlabeled is None else len(self.unlabeled)


def parts_of(
    shards: Sequence[Shard], embeddings: Sequence[NDArray], labeled: int, world: World, keep: Keep | None = None
) -> list[Part]:
    """Every device's rows of the source ``labeled``, and those of all other sources.

    ``keep`` tells which of a device's unlabeled embeddings (u, D) are virtual classes, by their positions.
    """
    parts: list[Part] = []
    for shard, embedding in zip(shards, embeddings, strict=True):
        own = shard.rows[labeled]
        others = [embedding[rows] for number, rows in enumerate(shard.rows) if number != labeled]
        unlabeled = nd.concat(*others, dim=0) if len(others) > 1 else next(iter(others), None)
        if unlabeled is not None and keep is not None:
            kept = keep(unlabeled)
            unlabeled = nd.take(unlabeled, nd.array(kept, ctx=embedding.context)) if len(kept) else None
        parts.append(Part(embedding[own], shard.labels[own], unlabeled, sum(part.count for part in parts)))
    before = sum(world.counts(sum(part.count for part in parts))[: world.rank])
    return [dataclasses.replace(part, first=part.first + before) for part in parts]


def virtual_classes(parts: Sequence[Part], world: World) -> int:
    """U, virtual classes of all devices."""
    return sum(world.counts(sum(part.count for part in parts)))


def centres_on(parts: Sequence[Part], context: Context, world: World, with_gradient: bool) -> NDArray | None:
    """(U, D): the centres of all devices' virtual classes on one device; None where there are none.

    Gradients flow back to each centre's device.
    """
    there = [part.unlabeled for part in parts if part.unlabeled is not None]
    if not there:
        return None
    joined = world.join(there, context)
    return joined if with_gradient else joined.detach()
