"""Two ways to put a mask on a face that are in use, as plain OpenCV code, to compare the speed of ours with.

The first warps a picture triangle by triangle, as the generator of Latent Part Detection's authors does: 45 control
points, bright pixels of the warped picture are pasted, then a median filter. The second fills a polygon of one colour.
"""

from __future__ import annotations

from math import cos, pi, sin
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.faces.align import template

Image = NDArray[np.uint8]
Points = NDArray[np.float64]
Corners = NDArray[np.float32]
BRIGHT = 50  # of the least of a pixel's channels: what is darker is taken for no mask
JAW, NOSE, MOUTH = 13, 8, 20  # control points, beside the four corners of the mask's box
COLOUR = (128, 170, 204)


class TriangleWarp:
    """A mask's picture, cut into triangles once, laid on each face by an affine map of every triangle."""

    def __init__(self, size: int) -> None:
        self.margin = size // 2  # triangles may reach beyond the image
        self.base = control_points(template(size)) + self.margin
        self.picture = np.full((2 * size, 2 * size, 3), COLOUR, np.uint8)
        self.triangles = triangles(self.base)

    def __call__(self, image: Image, points: Points) -> Image:
        """A masked copy of ``image`` with its five ``points``."""
        target = control_points(points) + self.margin
        height, width = image.shape[:2]
        canvas = np.zeros((height + 2 * self.margin, width + 2 * self.margin, 3), np.uint8)
        for corners in self.triangles:
            self._warp(self.base[corners].astype(np.float32), target[corners].astype(np.float32), canvas)
        warped = canvas[self.margin : self.margin + height, self.margin : self.margin + width]
        result = image.copy()
        pasted = warped.min(axis=2) > BRIGHT
        result[pasted] = warped[pasted]
        return cv2.medianBlur(result, 3)  # type: ignore[return-value]

    def _warp(self, source: Corners, target: Corners, canvas: Image) -> None:
        from_left, from_top, from_width, from_height = cv2.boundingRect(source)
        left, top, width, height = cv2.boundingRect(target)
        part = self.picture[from_top : from_top + from_height, from_left : from_left + from_width]
        place: Any = canvas[top : top + height, left : left + width]
        at = target - np.array([left, top], np.float32)
        matrix = cv2.getAffineTransform(source - np.array([from_left, from_top], np.float32), at)
        inside = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(inside, np.rint(at).astype(np.int32), (1,))
        moved = cv2.warpAffine(part, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        cv2.copyTo(moved, inside, place)


def control_points(five: Points) -> Points:
    """45 points (x, y) around nose, mouth and jaw of a face with five landmarks; the last four are a box."""
    eyes, mouth = five[:2].mean(axis=0), five[3:].mean(axis=0)
    height = float(np.hypot(*(mouth - eyes)))
    right = (five[1] - five[0]) / np.hypot(*(five[1] - five[0]))
    down = np.array([-right[1], right[0]])
    arc = [pi * i / (JAW - 1) for i in range(JAW)]
    jaw = [(-0.92 * cos(t), 0.45 + 1.02 * sin(t)) for t in arc]
    nose = [(0.0, 0.2 + 0.1 * i) for i in range(3)] + [(0.09 * (i - 2), 0.62) for i in range(NOSE - 3)]
    turns = [2 * pi * i / MOUTH for i in range(MOUTH)]
    lips = [(0.36 * (1 - i % 2 / 2) * cos(t), 1 + 0.15 * sin(t)) for i, t in enumerate(turns)]
    box = [(-0.95, 0.25), (0.95, 0.25), (0.95, 1.5), (-0.95, 1.5)]
    flat = np.array([*jaw, *nose, *lips, *box])
    return np.asarray(eyes + height * (flat[:, :1] * right + flat[:, 1:] * down))


def triangles(points: Points) -> NDArray[np.int64]:
    """Delaunay triangles (T, 3) of points (N, 2), as positions of their corners."""
    low, high = np.floor(points.min(axis=0)).astype(int) - 1, np.ceil(points.max(axis=0)).astype(int) + 2
    plane = cv2.Subdiv2D((int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])))
    for x, y in points:
        plane.insert((float(x), float(y)))
    corners = np.asarray(plane.getTriangleList()).reshape(-1, 3, 2)
    apart = np.linalg.norm(corners[:, :, None] - points, axis=-1)
    known = (apart.min(axis=-1) < 0.01).all(axis=-1)  # Subdiv2D adds corners of its own, far away
    return np.asarray(apart.argmin(axis=-1)[known])


def polygon(image: Image, points: Points) -> Image:
    """A masked copy of ``image``: a polygon of one colour from nose to chin, whatever the light and the pose."""
    target = control_points(points)
    result = image.copy()
    cv2.fillPoly(result, [np.rint(target[: JAW + 1] * 16).astype(np.int32)], COLOUR, cv2.LINE_AA, 4)
    return result
