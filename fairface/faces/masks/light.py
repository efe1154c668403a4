"""How bright a face is and from where it is lit, so that a mask on it is lit alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_CELLS = (12, 10)  # a face is looked at in this many cells (across, down): its light, not its features
_SKIN, _BRIGHT = 150.0, 205.0  # luma of a well lit face, and of the brightest parts of a well exposed photograph
_GREY = 2.5  # channels that differ by less, on the average, are those of a grey photograph
_STEEPEST = 0.35


@dataclass(frozen=True)
class Light:
    """What is known of the light on a face.

    Attributes:
        level: brightness of the photograph; 1 where white cloth would be almost white.
        across, down: how much brighter the face gets from the middle to the right and to the lower edge of the part
            that was looked at, as shares of its brightness.
        grey: whether the photograph has no colours.
    """

    level: float
    across: float
    down: float
    grey: bool


def light_on(part: NDArray[np.uint8], alpha: Floats, image: NDArray[np.uint8]) -> Light:
    """The light on the part ``(h, w, 3)`` of ``image`` that a mask with ``alpha (h, w)`` will cover.

    The face's luma in a few cells is fitted by a plane, cell by cell weighted with what of it is covered.
    """
    cells = cv2.resize(part, _CELLS, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(alpha, _CELLS, interpolation=cv2.INTER_AREA).ravel() + np.float32(1e-3)
    luma = (cells @ _LUMA).ravel()
    total = weight.sum()
    mean = float(weight @ luma / total)
    x, y = np.meshgrid(np.linspace(-1, 1, _CELLS[0]), np.linspace(-1, 1, _CELLS[1]))
    plane = np.stack([np.ones(luma.size), x.ravel(), y.ravel()])
    normal = (plane * weight) @ plane.T + 1e-6 * np.eye(3)
    _, across, down = np.linalg.solve(normal, (plane * weight) @ luma)
    order = np.argsort(luma)
    bright = float(luma[order][np.searchsorted(np.cumsum(weight[order]), 0.7 * total)])
    whole = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)
    brightest = float(np.sort((whole @ _LUMA).ravel())[-13])  # a twentieth is brighter
    level = 0.5 * (max(bright, 1.0) / _SKIN) ** 0.55 + 0.5 * (max(brightest, 1.0) / _BRIGHT) ** 0.6
    steep = max(mean, 20.0)
    return Light(
        level=float(np.clip(level, 0.2, 1.06)),
        across=float(np.clip(across / steep, -_STEEPEST, _STEEPEST)),
        down=float(np.clip(0.4 * down / steep, -_STEEPEST, _STEEPEST)),  # a beard is no shade
        grey=float(np.abs(cells - cells.mean(axis=2, keepdims=True)).mean()) < _GREY,
    )
