"""Drawn faces that detectors take for faces, on canvases of any size: photographs for timing that need no data set."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
_LARGEST = 400  # pixels that are drawn; larger faces are enlarged, or their blur would take seconds


def draw_face(size: int, skin: Colour = (200, 160, 130)) -> NDArray[np.uint8]:
    """A face with hair, brows, eyes, nose and mouth, half as wide as the image ``(size, size, 3)`` uint8 RGB."""
    if size > _LARGEST:
        larger = cv2.resize(draw_face(_LARGEST, skin), (size, size), interpolation=cv2.INTER_CUBIC)
        return np.asarray(larger, dtype=np.uint8)
    image = np.full((size, size, 3), 90, np.uint8)
    shadow: Colour = (skin[0] * 4 // 5, skin[1] * 4 // 5, skin[2] * 4 // 5)
    _ellipse(image, (0.5, 0.45), (0.31, 0.375), (50, 35, 30))
    _ellipse(image, (0.5, 0.525), (0.25, 0.33), skin)
    for x in (0.39, 0.61):
        _ellipse(image, (x, 0.43), (0.065, 0.012), (60, 40, 35))
        _ellipse(image, (x, 0.49), (0.05, 0.025), (235, 235, 235))
        _ellipse(image, (x, 0.49), (0.025, 0.025), (40, 30, 25))
    _ellipse(image, (0.475, 0.55), (0.012, 0.06), shadow)
    _ellipse(image, (0.5, 0.62), (0.045, 0.02), shadow)
    _ellipse(image, (0.5, 0.725), (0.1, 0.035), (170, 80, 80))
    _ellipse(image, (0.5, 0.725), (0.1, 0.007), (110, 50, 50))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), size / 100), dtype=np.uint8)


def draw_photograph(height: int, width: int, generator: np.random.Generator, others: int = 1) -> NDArray[np.uint8]:
    """``(height, width, 3)`` uint8 RGB: clouds, a large face near the middle and up to ``others`` smaller ones."""
    clouds = generator.integers(0, 256, (max(height // 16, 2), max(width // 16, 2), 3), dtype=np.uint8)
    image = np.asarray(cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    taken: list[tuple[int, int, int]] = []  # top, left and size of the faces so far
    for number in range(others + 1):
        size = int(min(height, width) * (generator.uniform(0.5, 0.95) if number == 0 else generator.uniform(0.2, 0.4)))
        spread = 0.25 if number == 0 else 1.0
        top, left = (round((side - size) * (0.5 + spread * generator.uniform(-0.5, 0.5))) for side in (height, width))
        tone = generator.integers(90, 230)
        skin = (int(tone), int(tone * generator.uniform(0.7, 0.85)), int(tone * generator.uniform(0.5, 0.7)))
        if all(
            abs(2 * (top - y) + size - s) >= size + s or abs(2 * (left - x) + size - s) >= size + s for y, x, s in taken
        ):  # a face over another one is none that a photograph shows
            image[top : top + size, left : left + size] = draw_face(size, skin)
            taken.append((top, left, size))
    return image


def _ellipse(image: NDArray[np.uint8], centre: tuple[float, float], half: tuple[float, float], colour: Colour) -> None:
    size = len(image)
    middle, axes = (round(centre[0] * size), round(centre[1] * size)), (round(half[0] * size), round(half[1] * size))
    cv2.ellipse(image, middle, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
