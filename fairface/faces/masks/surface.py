"""Where a mask's fabric is seen: a surface around a turned head, and which point of the flat mask each pixel shows.

A horizontal cut through the mask is an ellipse about the axis from ear to ear, x = a sin(t), z = b cos(t). Its half
width a narrows towards the chin as a jaw does, b is how far it stands out. A head turned by the yaw y shows
X = x cos(y) + z sin(y) = A sin(t + d), with A^2 = (a cos y)^2 + (b sin y)^2 and d = atan2(b sin y, a cos y). So t
follows from X in closed form, the far side is foreshortened, and beyond |X| = A there is nothing: the silhouette.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin, tan

import numpy as np
from numpy.typing import NDArray

from fairface.faces.masks.parameters import MaskParameters
from fairface.faces.masks.pose import DEPTH, Pose
from fairface.faces.masks.template import ASPECT, U_END, V_HIGH, V_LOW

Floats = NDArray[np.float32]
HALF_WIDTH = 0.98  # of an average face at the cheekbones, with the fabric on it
_NARROWS_FROM, _NARROWS_OVER = 0.35, 1.3  # y at which the face begins to narrow, and within which it ends
_MARGIN = 0.18  # around the mask: soft edge, shadow, cords
_TABLE = 2048  # heights for which the shape of the head is computed: a fiftieth of a pixel in a crop of 112
_SIDE = np.float32(0.9999)  # sine at the silhouette
_NOSE_WIDTH = 0.2  # half width in u over which the upper edge falls from nose to cheek


@dataclass(frozen=True)
class Outline:
    """Upper and lower edge of a mask as y over ``u``, and the half angle of its sides."""

    top: float
    dip: float
    bottom: float
    lift: float
    angle: float

    def upper(self, u: Floats) -> Floats:
        bridge = 1 / np.square(1 + np.square(u / _NOSE_WIDTH))
        return np.asarray(self.top + self.dip * (1 - bridge) - 0.1 * self.dip * u * u, np.float32)

    def lower(self, u: Floats) -> Floats:
        return np.asarray(self.bottom - self.lift * u * u, np.float32)


@dataclass(frozen=True)
class Surface:
    """A mask's part of an image: rows ``top`` and columns ``left`` on, arrays ``(h, w)``.

    Attributes:
        u, v: the point of the flat mask that is seen.
        coverage: 1 within the silhouette, 0 outside, between on its edge.
        sideways: sine of the angle between the surface's normal and the line of sight, positive to the right.
        y: in the head's frame.
    """

    top: int
    left: int
    u: Floats
    v: Floats
    coverage: Floats
    sideways: Floats
    y: Floats

    def maps(self, width: int) -> tuple[Floats, Floats]:
        """Columns and rows in a template of this width, for :func:`cv2.remap`."""
        across = (self.u + U_END) * np.float32((width - 1) / (2 * U_END))
        down = (self.v - V_LOW) * np.float32((round(width * ASPECT) - 1) / (V_HIGH - V_LOW))
        return across, down


def outline_of(pose: Pose, mask: MaskParameters) -> Outline:
    """The edges of a mask on this head."""
    return Outline(mask.top, mask.dip, pose.chin + mask.below, mask.lift, mask.angle)


def half_widths(pose: Pose, mask: MaskParameters, y: Floats) -> Floats:
    """Half width of the face, and of the mask on it, at height ``y``."""
    narrowed = np.clip((y - _NARROWS_FROM) / (_NARROWS_OVER + pose.chin - 1.47), 0, 1)
    nose, mouth = pose.widths
    scale = HALF_WIDTH * mask.wide * (nose + (mouth - nose) * np.clip(2 * y - 1, 0, 1))
    return np.asarray(scale * np.sqrt(1 - narrowed**3 + 1e-4), np.float32)


def depths(mask: MaskParameters, y: Floats) -> Floats:
    """How far the mask stands out before the axis, at height ``y``."""
    return np.asarray(mask.depth * (1 - 0.35 * np.square((y - 0.75) / 0.9).clip(0, 1)), np.float32)


def surface_of(pose: Pose, mask: MaskParameters, size: tuple[int, int]) -> Surface | None:
    """The mask's surface in an image of ``size`` (H, W); None where no pixel of it lies in the image."""
    edges = outline_of(pose, mask)
    box = _box(pose, mask, edges, size)
    if box is None:
        return None
    left, top, right, bottom = box
    x, y = _frame(pose, left, top, right, bottom)
    if mask.tilt:
        y = y + np.float32(tan(mask.tilt)) * x
    reach, turned, deep = _by_height(pose, mask, y)
    from_axis = x + np.float32(DEPTH * sin(pose.yaw))
    sideways = np.minimum(np.maximum(from_axis / reach, -_SIDE), _SIDE)
    t = np.arcsin(sideways) - turned
    if pose.pitch:
        y = y - np.float32(sin(pose.pitch)) * (deep * np.cos(t) - np.float32(DEPTH))
    u = t * np.float32(1 / mask.angle) - np.float32(mask.aside)
    upper = edges.upper(u)
    v = (y - upper) / np.maximum(edges.lower(u) - upper, np.float32(0.05))
    inside = (reach - np.abs(from_axis)) * np.float32(pose.height) + np.float32(0.5)
    coverage = np.minimum(np.maximum(inside, np.float32(0)), np.float32(1))
    return Surface(top, left, u, v, coverage, sideways, y)


def _by_height(pose: Pose, mask: MaskParameters, y: Floats) -> tuple[Floats, Floats, Floats]:
    """A, d and b of the module's formulas at heights ``y``: from a table, since they depend on nothing else."""
    low, high = float(y.min()), float(y.max())
    heights = np.linspace(low, high, _TABLE, dtype=np.float32)
    a, b = half_widths(pose, mask, heights), depths(mask, heights)
    wide, deep = a * np.float32(cos(pose.yaw)), b * np.float32(sin(pose.yaw))
    rows_each = np.float32((_TABLE - 1) / max(high - low, 1e-6))
    place = ((y - np.float32(low)) * rows_each + np.float32(0.5)).astype(np.int32)
    reach, turned = np.sqrt(wide * wide + deep * deep), np.arctan2(deep, wide)
    return reach.take(place), turned.take(place), b.take(place)


def _frame(pose: Pose, left: int, top: int, right: int, bottom: int) -> tuple[Floats, Floats]:
    """The frame's x and y at every pixel of a box."""
    columns = ((np.arange(left, right) - pose.origin[0]) / pose.height).astype(np.float32)[None, :]
    rows = ((np.arange(top, bottom) - pose.origin[1]) / pose.height).astype(np.float32)[:, None]
    (right_x, right_y), (down_x, down_y) = pose.right.astype(np.float32), pose.down.astype(np.float32)
    y = columns * down_x + rows * down_y
    return columns * right_x + rows * right_y - np.float32(pose.shear) * y, y


def _box(pose: Pose, mask: MaskParameters, edges: Outline, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the pixels that a mask may touch; None where they lie outside the image."""
    wide = max(pose.widths) * HALF_WIDTH * mask.wide
    reach = float(np.hypot(wide * cos(pose.yaw), mask.depth * sin(pose.yaw)))
    middle = -DEPTH * sin(pose.yaw)
    tipped = abs(sin(pose.pitch)) * 0.8 + abs(mask.tilt) * reach
    low, high = min(edges.top, 0.3) - tipped - _MARGIN, edges.bottom + tipped + _MARGIN
    sides = middle - reach - _MARGIN, middle + reach + _MARGIN
    corners = pose.to_image([(x, y) for x in sides for y in (low, high)])
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, size[1]), min(bottom, size[0])
    return (int(left), int(top), int(right), int(bottom)) if left < right and top < bottom else None
