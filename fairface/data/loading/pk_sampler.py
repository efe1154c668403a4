"""Batches of P identities x K images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fairface.data.loading.draws import Purpose, generator
from fairface.errors import ConfigError, DataError
from fairface.quantity import quantity

_DRAWS_BEFORE_SCAN = 16


class PKSampler:
    """P identities x K images a step, the K images of an identity side by side.

    An epoch is one permutation of the identities, taken P at a time in ``ceil(identities / P)`` steps; the last step
    is filled up from the permutation's start, so that no identity stands twice in a batch. The K images are drawn
    without repetition; an identity with fewer than K images gives all it has, and some of them again. Unlabeled
    images are never drawn.
    """

    def __init__(
        self, labels: NDArray[np.int32], batch_size: int, images_per_class: int, seed: int, stream: int = 0
    ) -> None:
        if min(batch_size, images_per_class) < 1 or batch_size % images_per_class:
            raise ConfigError(
                f"sampler.images_per_class: {images_per_class} does not divide the batch size {batch_size}; "
                "choose a batch size that is a multiple of it"
            )
        order = np.argsort(labels, kind="stable")
        order = order[np.searchsorted(labels[order], 0) :]
        identities, starts = np.unique(labels[order], return_index=True)
        self.batch_size = batch_size
        self.images_per_class = images_per_class
        self.classes = batch_size // images_per_class
        if len(identities) < self.classes:
            raise DataError(
                f"pk sampler: a batch needs {quantity(self.classes, 'identity')} and the data has {len(identities)} "
                "with a label; choose a smaller batch or a larger sampler.images_per_class"
            )
        self.seed = seed
        self.stream = stream
        self._labels = labels
        self._order = order.astype(np.int64, copy=False)
        self._identities = identities
        self._bounds = np.append(starts, len(order))
        self._latest: tuple[int, NDArray[np.int64]] | None = None

    @property
    def steps_per_epoch(self) -> float:
        return float(-(-len(self._identities) // self.classes))

    def batch(self, step: int) -> NDArray[np.int64]:
        epoch, position = divmod(step, int(self.steps_per_epoch))
        chosen = np.arange(position * self.classes, (position + 1) * self.classes) % len(self._identities)
        rng = generator(self.seed, step, Purpose.IMAGES, self.stream)
        return np.concatenate([self._draw(rng, int(identity)) for identity in self._permutation(epoch)[chosen]])

    def substitutes(self, index: int, step: int, row: int) -> Iterator[int]:
        """The identity's other images, then every labeled image."""
        own = int(np.searchsorted(self._identities, self._labels[index]))
        mine = self._images(own)
        place = int(np.flatnonzero(mine == index)[0])
        yield from np.roll(mine, -place)[1:].tolist()
        rng = generator(self.seed, step, Purpose.SUBSTITUTE, row)
        yield from self._order[rng.integers(len(self._order), size=_DRAWS_BEFORE_SCAN)].tolist()
        yield from self._order.tolist()

    def _images(self, identity: int) -> NDArray[np.int64]:
        return self._order[self._bounds[identity] : self._bounds[identity + 1]]

    def _draw(self, rng: np.random.Generator, identity: int) -> NDArray[np.int64]:
        images, count = self._images(identity), self.images_per_class
        if len(images) >= count:
            return rng.choice(images, count, replace=False)
        return np.concatenate([rng.permutation(images), rng.choice(images, count - len(images))])

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        latest = self._latest
        if latest is None or latest[0] != epoch:
            order = generator(self.seed, epoch, Purpose.ORDER, self.stream).permutation(len(self._identities))
            self._latest = latest = (epoch, order)
        return latest[1]
