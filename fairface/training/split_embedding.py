"""Embeddings of a verification set, each worker making its share of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fairface.data.types import Dataset
from fairface.embedding.embedder import Embedder
from fairface.errors import DataError, FairfaceError
from fairface.parallel import World

T = TypeVar("T")


def embed_split(embedder: Embedder, images: Dataset, world: World) -> NDArray[np.float32]:
    """Embeddings (N, D) float32 of all images, on every process; each embeds its :func:`share_of` them.

    Raises:
        FairfaceError: an image that cannot be used, in whoever's share: on all processes alike.
    """
    if world.size == 1 or not len(images):
        return embedder.embed(images)
    own = share_of(len(images), embedder.batch_size, world.rank, world.size)
    # MXNet has no batches without rows: a process without a share embeds nothing.
    rows = all_or_none(world, lambda: embedder.embed(images.subset(own)) if len(own) else np.empty((0, 0), np.float32))
    return world.all_rows(rows)


def share_of(images: int, batch_size: int, rank: int, size: int) -> range:
    """Which of ``images`` are the share of process ``rank`` of ``size``: whole batches, so that the net sees the very
    batches that one process would make. Fewer batches than processes leave some without a share."""
    batches = -(-images // batch_size)
    begin, end = (batches * number // size * batch_size for number in (rank, rank + 1))
    return range(begin, min(end, images))


class KnownToAllError(DataError):
    """A failure of one process, raised by all of them."""


def all_or_none(world: World, work: Callable[[], T]) -> T:
    """What ``work`` returns, when it has been done by all processes.

    May be nested: a process that fails here is heard by the others at their next such meeting, an inner or an outer
    one.

    Raises:
        KnownToAllError: it failed on some process; all of them raise what the first of these says.
    """
    if world.size == 1:
        return work()
    problem = None
    try:
        result = work()
    except KnownToAllError:
        raise  # an inner meeting told it
    except FairfaceError as error:
        problem = error
    told = [text for text in world.texts("" if problem is None else str(problem)) if text]
    if told:
        raise KnownToAllError(told[0]) from problem
    return result
