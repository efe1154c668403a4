"""An image as the input of a net that sees it whole: no larger than some size, and in whole cells of its maps."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def shrunk(rgb: NDArray[np.uint8], longest: int | None) -> NDArray[np.uint8]:
    """``rgb (H, W, 3)`` with a longer side of at most ``longest`` pixels, ``None``: as it is."""
    height, width = rgb.shape[:2]
    if longest is None or max(height, width) <= longest:
        return rgb
    scale = longest / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def padded(rgb: NDArray[np.uint8], multiple: int) -> NDArray[np.float32]:
    """``(1, 3, h, w)`` float32, black on the right and below up to multiples of ``multiple`` pixels."""
    height, width = rgb.shape[:2]
    pixels = np.zeros((1, 3, -(-height // multiple) * multiple, -(-width // multiple) * multiple), np.float32)
    pixels[0, :, :height, :width] = rgb.transpose(2, 0, 1)
    return pixels
