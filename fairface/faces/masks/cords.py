"""What holds a mask: cords to the ears, or straps around the head."""

from __future__ import annotations

from math import cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.faces.masks.parameters import MaskParameters
from fairface.faces.masks.pose import DEPTH, Pose
from fairface.faces.masks.styles import CORDS, STRAPS, STYLES
from fairface.faces.masks.surface import Surface, depths, half_widths, outline_of

_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel
_WIDTH = {CORDS: 0.032, STRAPS: 0.034}
_OUT = {CORDS: 1.07, STRAPS: 1.16}  # ears stand out from the face, and hair more so
_SEWN = {CORDS: (0.97, 0.06), STRAPS: (0.9, 0.3)}  # where on the flat mask: u, and v from either edge
_EARS = {CORDS: (0.12, 0.62), STRAPS: (-0.2, 0.68)}  # y where they leave sight
_BEHIND = radians(92)
_SHARES = np.linspace(0, 1, 5)
_AT = np.ones(1, np.float32)
_HIDDEN = radians(12)  # a head turned by more hides its far ear


def draw_cords(pose: Pose, mask: MaskParameters, surface: Surface) -> NDArray[np.uint8]:
    """Coverage ``(h, w)``, 0 to 255, of cords or straps in the surface's part of the image."""
    held = STYLES[mask.style].held if mask.style in STYLES else CORDS
    layer = np.zeros(surface.u.shape, np.uint8)
    width = _WIDTH[held] * pose.height
    lines = pose.to_image(_lines(pose, mask, held)) - (surface.left, surface.top)
    fixed = list(np.rint(lines * (1 << _SHIFT)).astype(np.int32))
    cv2.polylines(layer, fixed, False, (255,), max(1, round(width)), cv2.LINE_AA, _SHIFT)
    return layer if width >= 1 else cv2.convertScaleAbs(layer, alpha=width)  # type: ignore[return-value]


def _lines(pose: Pose, mask: MaskParameters, held: str) -> NDArray[np.float64]:
    """In the head's frame, ``(L, P, 2)``: from the mask's sides around the head to the ears that are seen."""
    side = np.array([side for side in (-1.0, 1.0) if side * pose.yaw <= _HIDDEN]).repeat(2)
    sewn_u, sewn_v = _SEWN[held]
    outline = outline_of(pose, mask)
    upper, lower = (float(edge(_AT * sewn_u)[0]) for edge in (outline.upper, outline.lower))
    margin = sewn_v * (lower - upper)
    pairs = len(side) // 2
    starts, ends = np.tile((upper + margin, lower - margin), pairs), np.tile(_EARS[held], pairs)
    first = mask.angle * (sewn_u + side * mask.aside)
    t = side[:, None] * (first[:, None] + _SHARES * (_BEHIND - first[:, None]))
    y = starts[:, None] + _SHARES * (ends - starts)[:, None]
    a = half_widths(pose, mask, y.astype(np.float32)) * (1 + (_OUT[held] - 1) * _SHARES)
    b = depths(mask, y.astype(np.float32))
    x = a * np.sin(t) * cos(pose.yaw) + (b * np.cos(t) - DEPTH) * sin(pose.yaw)
    return np.stack([x, y], axis=-1)
