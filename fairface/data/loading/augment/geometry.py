"""Changes of where things are: shift, AdaFace's crop, cutoff.

Each class holds one batch's draws, made by ``draw`` for n images of ``size x size``; ``apply(image, i)`` changes the
image of row i and may do so in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import AugmentConfig

Image = NDArray[np.uint8]
_GREY = 128
_CROP_AREA = (0.2, 1.0)
_CROP_LOG_RATIO = float(np.log(4 / 3))  # sides from 3:4 to 4:3
_CROP_TRIES = 10


@dataclass(frozen=True)
class Shift:
    """A small shift, rotation and scale about the centre in one bilinear warp; the border's pixels are repeated."""

    on: NDArray[np.bool_]
    matrices: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> Shift:
        on = rng.random(n) < config.shift
        move = rng.uniform(-config.shift_pixels, config.shift_pixels, (n, 2))
        angle = np.deg2rad(rng.uniform(-config.shift_degrees, config.shift_degrees, n))
        scale = rng.uniform(1 - config.shift_scale, 1 + config.shift_scale, n)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrices = np.empty((n, 2, 3))
        matrices[:, 0, 0] = matrices[:, 1, 1] = cos
        matrices[:, 0, 1], matrices[:, 1, 0] = sin, -sin
        centre = np.full(2, (size - 1) / 2)
        matrices[:, :, 2] = centre + move - matrices[:, :, :2] @ centre
        return cls(on, matrices)

    def apply(self, image: Image, i: int) -> Image:
        size = (image.shape[1], image.shape[0])
        warped = cv2.warpAffine(image, self.matrices[i], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return warped  # type: ignore[return-value]


@dataclass(frozen=True)
class Crop:
    """AdaFace's crop: a random part of the image stays where it is, the rest turns black.

    The part covers 0.2 to 1 of the area with sides in a ratio of 3:4 to 4:3, both drawn as torchvision's
    ``RandomResizedCrop`` does: up to ten tries, then the whole image.
    """

    on: NDArray[np.bool_]
    boxes: NDArray[np.int64]  # (n, 4): top, left, bottom, right

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> Crop:
        on = rng.random(n) < config.crop
        area = rng.uniform(*_CROP_AREA, (_CROP_TRIES, n)) * size * size
        ratio = np.exp(rng.uniform(-_CROP_LOG_RATIO, _CROP_LOG_RATIO, (_CROP_TRIES, n)))
        sides = np.rint(np.sqrt(np.stack([area / ratio, area * ratio]))).astype(np.int64)
        fits = ((sides > 0) & (sides <= size)).all(axis=0)
        chosen = np.where(fits.any(axis=0), sides[:, fits.argmax(axis=0), np.arange(n)], size)
        start = np.floor(rng.random((2, n)) * (size - chosen + 1)).astype(np.int64)
        return cls(on, np.concatenate([start, start + chosen]).T)

    def apply(self, image: Image, i: int) -> Image:
        top, left, bottom, right = self.boxes[i]
        result = np.zeros_like(image)
        result[top:bottom, left:right] = image[top:bottom, left:right]
        return result


@dataclass(frozen=True)
class Cutoff:
    """A grey (128) square whose centre is drawn over the whole image; what leaves the image is cut off."""

    on: NDArray[np.bool_]
    boxes: NDArray[np.int64]  # (n, 4): top, left, bottom, right

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> Cutoff:
        on = rng.random(n) < config.cutoff
        start = rng.integers(0, size, (n, 2)) - config.cutoff_size // 2
        boxes = np.concatenate([start, start + config.cutoff_size], axis=1)
        return cls(on, np.clip(boxes, 0, size))

    def apply(self, image: Image, i: int) -> Image:
        top, left, bottom, right = self.boxes[i]
        image[top:bottom, left:right] = _GREY
        return image
