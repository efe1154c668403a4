"""Changes of colour: brightness, contrast and saturation, on RGB, in random order.

Brightness b: ``b * rgb``. Contrast c: ``c * rgb + (1 - c) * mean luma``. Saturation s: ``s * rgb + (1 - s) * luma``.
Luma is 0.299 R + 0.587 G + 0.114 B. All three are affine, so each is a 3x4 matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import AugmentConfig

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
LUMA = np.array([0.299, 0.587, 0.114])
BRIGHTNESS, CONTRAST, SATURATION = range(3)
_PHOTOMETRIC_STRENGTH = 0.5


@dataclass(frozen=True)
class ColorJitter:
    """Each factor is drawn from ``1 +- strength``.

    With ``clip_between`` every change is rounded and clipped to 0..255 before the next (torchvision on PIL images:
    AdaFace's photometric jitter); without, only the result is (MXNet's ColorJitterAug: the fair-face system's jitter).
    """

    on: NDArray[np.bool_]
    order: NDArray[np.int64]  # (n, 3): which change comes first, second, third
    factors: Floats  # (n, 3): brightness, contrast, saturation
    clip_between: bool

    @classmethod
    def draw(
        cls, rng: np.random.Generator, probability: float, strength: float, n: int, clip_between: bool
    ) -> ColorJitter:
        on = rng.random(n) < probability
        order = rng.permuted(np.tile(np.arange(3), (n, 1)), axis=1)
        return cls(on, order, rng.uniform(1 - strength, 1 + strength, (n, 3)), clip_between)

    def apply(self, image: Image, i: int) -> Image:
        mean = np.array(cv2.mean(image)[:3])
        whole = np.eye(3, 4)
        for kind in self.order[i]:
            step = _matrix(kind, self.factors[i, kind], float(LUMA @ mean))
            if self.clip_between:
                image = cv2.transform(image, step)  # type: ignore[assignment]
                mean = np.array(cv2.mean(image)[:3])
            else:
                whole = _after(step, whole)
                mean = step[:, :3] @ mean + step[:, 3]
        return image if self.clip_between else cv2.transform(image, whole)  # type: ignore[return-value]


@dataclass(frozen=True)
class SwapColors:
    """Red and blue exchanged, for images that were stored the wrong way round."""

    on: NDArray[np.bool_]

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> SwapColors:
        return cls(rng.random(n) < config.swap_colors)

    def apply(self, image: Image, i: int) -> Image:
        return np.ascontiguousarray(image[..., ::-1])


def draw_color(rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> ColorJitter:
    """The fair-face system's jitter: ``color_strength`` for all three, 0.125 there."""
    return ColorJitter.draw(rng, config.color, config.color_strength, n, clip_between=False)


def draw_photometric(rng: np.random.Generator, config: AugmentConfig, n: int, size: int) -> ColorJitter:
    """AdaFace's jitter: 0.5 for all three, hue untouched."""
    return ColorJitter.draw(rng, config.photometric, _PHOTOMETRIC_STRENGTH, n, clip_between=True)


def _matrix(kind: int, factor: float, mean_luma: float) -> Floats:
    result = np.zeros((3, 4))
    result[:, :3] = factor * np.eye(3)
    if kind == CONTRAST:
        result[:, 3] = (1 - factor) * mean_luma
    elif kind == SATURATION:
        result[:, :3] += (1 - factor) * LUMA
    return result


def _after(second: Floats, first: Floats) -> Floats:
    result = second[:, :3] @ first
    result[:, 3] += second[:, 3]
    return result
