"""The centre crop of training: cut with a margin when it is read, moved within it at random, resized."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import AugmentConfig
from fairface.data.centre_crop import CentreCrop
from fairface.data.images import resize

Image = NDArray[np.uint8]


def centre_crop_of(config: AugmentConfig, training: bool) -> CentreCrop | None:
    """What ``config`` says of the centre crop, in training with room to move it; None where there is none."""
    if not config.centre_crop:
        return None
    return CentreCrop(config.centre_crop, config.centre_offset, config.centre_jitter if training else 0)


class CentreJitter:
    """A transform from squares with a margin of ``jitter`` pixels to images of the batch's size; writes no columns."""

    writes: Mapping[str, tuple[int, ...]] = MappingProxyType({})

    def __init__(self, jitter: int) -> None:
        self.jitter = jitter

    def draw(self, rng: np.random.Generator, n: int, size: int) -> DrawnJitter:
        """Where each of n images is cut: whole pixels, evenly from ``-jitter`` to ``jitter`` in x and in y."""
        return DrawnJitter(self.jitter, rng.integers(0, 2 * self.jitter + 1, (n, 2)))


@dataclass(frozen=True)
class DrawnJitter:
    """Each row's left and top within the margin, ``starts (n, 2)``."""

    jitter: int
    starts: NDArray[np.int64]

    def apply(self, image: Image, row: int, out: Image, extra: Mapping[str, NDArray[np.float32]]) -> None:
        """Write the row's square, resized, into ``out``."""
        left, top = self.starts[row].tolist()
        side = image.shape[0] - 2 * self.jitter
        square = np.ascontiguousarray(image[top : top + side, left : left + side])
        out[:] = resize(square, out.shape[0])
