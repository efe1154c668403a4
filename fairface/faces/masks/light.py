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
_SKIN_COLOUR = np.array([1.24, 0.93, 0.80], np.float32)  # of skin of any tone in neutral light, luma 1
_X, _Y = np.meshgrid(np.linspace(-1, 1, _CELLS[0]), np.linspace(-1, 1, _CELLS[1]))
_PLANE = np.stack([np.ones(_X.size), _X.ravel(), _Y.ravel()]).astype(np.float32)
_EASE = np.diag([1e-4, 0.5, 0.5]).astype(np.float32)  # a small face gives no steep light
_GREY = 3.5  # where channels differ by less, on the average, it is a grey photograph
_STEEPEST = 0.25


@dataclass(frozen=True)
class Light:
    """What is known of the light on a face.

    Attributes:
        level: brightness of the photograph; 1 where white cloth would be almost white.
        across, down: how much brighter the face gets from the middle to the right and to the lower edge of the part
            that was looked at, as shares of its brightness.
        cast: (3,) factors of red, green and blue of white cloth.
        grey: whether the photograph has no colours.
    """

    level: float
    across: float
    down: float
    cast: Floats
    grey: bool

    def on(self, colour: tuple[int, int, int]) -> Floats:
        """RGB of a thing of this colour, before its brightness is matched; grey in a grey photograph."""
        rgb = np.array(colour, np.float32)
        return np.full(3, rgb @ _LUMA, np.float32) if self.grey else rgb * self.cast


def light_on(part: NDArray[np.uint8], alpha: Floats, image: NDArray[np.uint8]) -> Light:
    """The light on the part ``(h, w, 3)`` of ``image`` that a mask with ``alpha (h, w)`` will cover.

    The face's luma in a few cells is fitted by a plane, cell by cell weighted with what of it is covered.
    """
    cells = cv2.resize(part, _CELLS, interpolation=cv2.INTER_AREA).astype(np.float32).reshape(-1, 3)
    weight = cv2.resize(alpha, _CELLS, interpolation=cv2.INTER_AREA).ravel() + np.float32(1e-3)
    luma = cells @ _LUMA
    weighted = _PLANE * weight
    mean, across, down = np.linalg.solve(weighted @ _PLANE.T + _EASE, weighted @ luma)
    order = np.argsort(luma)
    reached = np.cumsum(weight[order])
    bright = float(luma[order[np.searchsorted(reached, 0.7 * reached[-1])]])
    steps = [max(1, side // 16) for side in image.shape[:2]]
    whole = np.sort(image[:: steps[0], :: steps[1]].reshape(-1, 3) @ _LUMA)
    brightest = float(whole[-1 - len(whole) // 20])
    level = 0.5 * (max(bright, 1.0) / _SKIN) ** 0.55 + 0.5 * (max(brightest, 1.0) / _BRIGHT) ** 0.6
    steep = max(float(mean), 40.0)
    spread = float((cells.max(axis=1) - cells.min(axis=1)).mean())
    return Light(
        level=min(max(level, 0.2), 1.06),
        across=min(max(float(across) / steep, -_STEEPEST), _STEEPEST),
        down=min(max(0.4 * float(down) / steep, -_STEEPEST), _STEEPEST),  # a beard is no shade
        cast=_cast(weight @ cells),
        grey=spread < _GREY,
    )


def _cast(face: Floats) -> Floats:
    """Colour of the light from the colour of the face (of any brightness): half of what is unusual in it."""
    share = face / max(float(face @ _LUMA), 1e-3) / _SKIN_COLOUR
    cast = np.sqrt(np.clip(share, 0.5, 1.6))
    return np.asarray(cast / float(cast @ _LUMA), np.float32)
