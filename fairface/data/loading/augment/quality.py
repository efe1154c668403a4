"""Loss of quality: AdaFace's low resolution and strong JPEG compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import AugmentConfig
from fairface.data.images import decode, encode_jpeg

Image = NDArray[np.uint8]
_SMALLEST_SIDE = 0.2
_KERNELS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class LowRes:
    """AdaFace's low resolution: down to 0.2 to 1 of the side and up again, each way with a kernel drawn from five."""

    on: NDArray[np.bool_]
    sides: NDArray[np.int64]  # (n,): side in pixels of the small image
    kernels: NDArray[np.int64]  # (n, 2): positions in the five kernels, down and up

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> LowRes:
        on = rng.random(n) < config.low_res
        sides = np.maximum(1, (rng.uniform(_SMALLEST_SIDE, 1.0, n) * size).astype(np.int64))
        return cls(on, sides, rng.integers(len(_KERNELS), size=(n, 2)))

    def apply(self, image: Image, i: int) -> Image:
        side = int(self.sides[i])
        down, up = (_KERNELS[kernel] for kernel in self.kernels[i])
        small = cv2.resize(image, (side, side), interpolation=down)
        return cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=up)  # type: ignore[return-value]


@dataclass(frozen=True)
class Jpeg:
    """The image after JPEG compression with a quality drawn from ``jpeg_quality``, both ends included."""

    on: NDArray[np.bool_]
    quality: NDArray[np.int64]

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> Jpeg:
        lowest, highest = config.jpeg_quality
        return cls(rng.random(n) < config.jpeg, rng.integers(lowest, highest + 1, size=n))

    def apply(self, image: Image, i: int) -> Image:
        return decode(encode_jpeg(image, int(self.quality[i])), "a recompressed image")
