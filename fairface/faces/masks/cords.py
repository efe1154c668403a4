"""What holds a mask: cords to the ears, or straps around the head."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.faces.masks.parameters import MaskParameters
from fairface.faces.masks.pose import DEPTH, Pose
from fairface.faces.masks.styles import CORDS, STRAPS, STYLES
from fairface.faces.masks.surface import Surface, depths, half_widths, outline_of

_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel
_WIDTH = {CORDS: 0.032, STRAPS: 0.05}
_EAR = 1.07  # ears stand out from the face
_HIDDEN = radians(12)  # a head turned by more hides its far ear


def draw_cords(pose: Pose, mask: MaskParameters, surface: Surface) -> NDArray[np.uint8]:
    """Coverage ``(h, w)``, 0 to 255, of cords or straps in the surface's part of the image."""
    held = STYLES[mask.style].held if mask.style in STYLES else CORDS
    layer = np.zeros(surface.u.shape, np.uint8)
    width = _WIDTH[held] * pose.height
    for path in _paths(pose, mask, held):
        pixels = pose.to_image(path) - (surface.left, surface.top)
        fixed = np.rint(pixels * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(layer, [fixed], False, 255, max(1, round(width)), cv2.LINE_AA, _SHIFT)
    return layer if width >= 1 else cv2.convertScaleAbs(layer, alpha=width)  # type: ignore[return-value]


def _paths(pose: Pose, mask: MaskParameters, held: str) -> Iterator[NDArray[np.float64]]:
    """Lines in the head's frame, ``(P, 2)`` each."""
    outline = outline_of(pose, mask)
    end_u = np.array([0.97], np.float32)
    upper, lower = float(outline.upper(end_u)[0]), float(outline.lower(end_u)[0])
    ear_top, ear_bottom = (0.12, 0.62) if held == CORDS else (-0.05, 0.85)
    for side in (-1.0, 1.0):
        if side * pose.yaw > _HIDDEN:
            continue
        for start, end in ((upper + 0.06 * (lower - upper), ear_top), (lower - 0.06 * (lower - upper), ear_bottom)):
            yield _path(pose, mask, side, start, end)


def _path(pose: Pose, mask: MaskParameters, side: float, start: float, end: float) -> NDArray[np.float64]:
    """From the mask's side at y ``start`` around the head to the ear at ``end``."""
    first = mask.angle * (0.97 + side * mask.aside)
    points = []
    for share in np.linspace(0, 1, 5):
        t = side * (first + share * (radians(92) - first))
        y = start + (end - start) * share
        at = np.array([y], np.float32)
        a, b = float(half_widths(pose, at)[0]) * (1 + (_EAR - 1) * share), float(depths(mask, at)[0])
        x = a * sin(t) * cos(pose.yaw) + (b * cos(t) - DEPTH) * sin(pose.yaw)
        points.append((x, y))
    return np.array(points)
