"""Which images a step gets. Every sampler is a pure function of (seed, step), so a run resumes at any step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fairface.config.limits import check_fields
from fairface.config.schema import SamplerConfig
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.pk_sampler import PKSampler
from fairface.errors import ConfigError, DataError
from fairface.quantity import agree, quantity

_DRAWS_BEFORE_SCAN = 16


class Sampler(Protocol):
    """An endless row of batches over the positions ``0..length-1`` of one data set."""

    @property
    def batch_size(self) -> int:
        """B, images per step."""

    @property
    def steps_per_epoch(self) -> float:
        """Steps after which every image (random) or identity (pk) has had its turn."""

    def batch(self, step: int) -> NDArray[np.int64]:
        """(B,) int64 positions for ``step``, the same at every call."""

    def substitutes(self, index: int, step: int, row: int) -> Iterator[int]:
        """Positions that may stand in, one after the other, for the bad record ``index`` in ``row`` of ``step``."""


class RandomSampler:
    """A new permutation each epoch; step k covers positions ``[k*B, (k+1)*B)`` of all permutations end to end.

    Batches run across the border of two epochs, so every epoch visits every image exactly once. ``stream`` tells
    apart the samplers of one run that share a seed.
    """

    def __init__(self, length: int, batch_size: int, seed: int, stream: int = 0) -> None:
        _check(length, batch_size)
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.stream = stream
        self._latest: tuple[int, NDArray[np.int64]] | None = None

    @property
    def steps_per_epoch(self) -> float:
        return self.length / self.batch_size

    def indices(self, epoch: int) -> NDArray[np.int64]:
        """(length,) the permutation of ``epoch``; the latest one is kept, since the next steps need it again."""
        latest = self._latest
        if latest is None or latest[0] != epoch:
            order = generator(self.seed, epoch, Purpose.ORDER, self.stream).permutation(self.length)
            self._latest = latest = (epoch, order.astype(np.int64, copy=False))
        return latest[1]

    def batch(self, step: int) -> NDArray[np.int64]:
        start, stop = step * self.batch_size, (step + 1) * self.batch_size
        parts = []
        while start < stop:
            epoch, offset = divmod(start, self.length)
            parts.append(self.indices(epoch)[offset : offset + stop - start])
            start += len(parts[-1])
        return np.concatenate(parts)

    def substitutes(self, index: int, step: int, row: int) -> Iterator[int]:
        """Some records at random, then all of them after ``index``."""
        rng = generator(self.seed, step, Purpose.SUBSTITUTE, row)
        yield from rng.integers(self.length, size=_DRAWS_BEFORE_SCAN).tolist()
        yield from _scan(index, self.length)


class DistinctSampler(RandomSampler):
    """As :class:`RandomSampler`, but no image stands twice in a batch.

    An epoch is one permutation in ``ceil(N / B)`` steps; the last step is filled up from the permutation's start.

    Raises:
        DataError: fewer images than a batch holds.
    """

    def __init__(self, length: int, batch_size: int, seed: int, stream: int = 0) -> None:
        super().__init__(length, batch_size, seed, stream)
        if length < batch_size:
            raise DataError(
                f"there {agree(length, 'is', 'are')} {quantity(length, 'image')}, fewer than the {batch_size} of a "
                "batch, in which no image may stand twice; lower the source's batch_size, or add images"
            )

    @property
    def steps_per_epoch(self) -> float:
        return float(-(-self.length // self.batch_size))

    def batch(self, step: int) -> NDArray[np.int64]:
        epoch, within = divmod(step, int(self.steps_per_epoch))
        places = np.arange(within * self.batch_size, (within + 1) * self.batch_size) % self.length
        return self.indices(epoch)[places]

    def substitutes(self, index: int, step: int, row: int) -> Iterator[int]:
        """What the batch does not hold, at random: first a share that no other row of the batch has, so that two bad
        records do not get the same stand-in, then the rest."""
        free = np.ones(self.length, bool)
        free[self.batch(step)] = False
        order = generator(self.seed, step, Purpose.SUBSTITUTE, self.stream).permutation(np.flatnonzero(free))
        is_own = np.arange(len(order)) % self.batch_size == row % self.batch_size
        yield from order[is_own].tolist()
        yield from order[~is_own].tolist()


def build_sampler(
    config: SamplerConfig, labels: NDArray[np.int32], batch_size: int, seed: int, stream: int = 0
) -> Sampler:
    """The sampler that ``config.kind`` names, for a data set with these ``labels (N,)``.

    Raises:
        ConfigError: an unknown kind, or a batch size that K does not divide.
        DataError: no images, or fewer images or identities than a batch needs.
    """
    check_fields(config, "sampler.")
    if config.kind == "pk":
        return PKSampler(labels, batch_size, config.images_per_class, seed, stream)
    if config.kind == "distinct":
        return DistinctSampler(len(labels), batch_size, seed, stream)
    return RandomSampler(len(labels), batch_size, seed, stream)


def _check(length: int, batch_size: int) -> None:
    if length < 1:
        raise DataError("the data set holds no images; check data.path and the lists that choose from it")
    if batch_size < 1:
        raise ConfigError(f"batch_size: {batch_size} is not a number of images; choose 1 or more")


def _scan(index: int, length: int) -> Iterator[int]:
    return ((index + offset) % length for offset in range(1, length))
