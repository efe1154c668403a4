"""Box arithmetic of a cascade of face nets.

A box is (left, top, right, bottom) in pixels, edges rather than pixel numbers: its width is ``right - left``.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
CELL = 12  # pixels that one cell of the first net's map sees, across
STRIDE = 2  # pixels from cell to cell
_COMPARED_AT_ONCE = 256  # boxes, each with each: faster than one by one while the table is small


def pyramid_scales(height: int, width: int, min_face: float, factor: float) -> list[float]:
    """Scales at which a net that sees ``CELL`` x ``CELL`` pixels finds faces of ``min_face`` pixels and larger.

    The first maps ``min_face`` to ``CELL``, each next one is ``factor`` times that before, and the last still leaves
    ``CELL`` pixels of the shorter side. Empty for an image whose shorter side is below ``min_face``.
    """
    scales = []
    scale = CELL / min_face
    while min(height, width) * scale >= CELL:
        scales.append(scale)
        scale *= factor
    return scales


def cells_to_boxes(
    probability: Floats, offsets: Floats, scale: float, threshold: float
) -> tuple[Floats, Floats, Floats]:
    """Boxes of the cells of a score map that reach ``threshold``.

    ``probability (H, W)`` and ``offsets (H, W, 4)`` come from the image enlarged by ``scale``; the cell in row i and
    column j saw the ``CELL`` x ``CELL`` pixels from ``STRIDE * (j, i)`` on. Returns boxes (n, 4) in the image itself,
    scores (n,) and offsets (n, 4).
    """
    rows, columns = np.nonzero(probability >= threshold)
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
    boxes: Floats = np.concatenate([corner, corner + CELL], axis=1) / np.float32(scale)
    return boxes, probability[rows, columns], offsets[rows, columns]


def suppress(boxes: Floats, scores: Floats, threshold: float, by_smaller: bool = False) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes to keep, highest score first.

    A box goes when it overlaps a kept one by more than ``threshold`` of their union, or of the smaller of the two.
    """
    if len(scores) < 2:
        return np.arange(len(scores))
    order = np.argsort(-scores, kind="stable")
    if len(order) <= _COMPARED_AT_ONCE:
        too_close = _overlaps(boxes[order], boxes[order], threshold, by_smaller)
        alive = np.ones(len(order), bool)
        for place in range(len(order)):
            if alive[place]:
                alive[place + 1 :] &= ~too_close[place, place + 1 :]
        return order[alive]
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[~_overlaps(boxes[best][None], boxes[order], threshold, by_smaller)[0]]
    return np.array(kept, dtype=np.intp)


def _overlaps(some: Floats, others: Floats, threshold: float, by_smaller: bool) -> NDArray[np.bool_]:
    """Which of ``some (m, 4)`` overlap which of ``others (n, 4)`` by more than ``threshold``, ``(m, n)``."""
    areas, other_areas = _areas(some)[:, None], _areas(others)
    low = np.maximum(some[:, None, :2], others[:, :2])
    high = np.minimum(some[:, None, 2:], others[:, 2:])
    sides = np.maximum(high - low, 0)
    common = sides[..., 0] * sides[..., 1]
    whole = np.minimum(areas, other_areas) if by_smaller else areas + other_areas - common
    return np.asarray(common > threshold * whole)


def _areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), dtype=np.float32)


def refine(boxes: Floats, offsets: Floats) -> Floats:
    """Move each edge by its offset, a fraction of the box's width or height."""
    size = boxes[:, 2:] - boxes[:, :2]
    moved: Floats = boxes + offsets * np.concatenate([size, size], axis=1)
    return moved


def squares(boxes: Floats) -> NDArray[np.int64]:
    """Whole-pixel squares around the centres of ``boxes``, as wide as their longer side and at least one pixel."""
    side = np.maximum(np.max(boxes[:, 2:] - boxes[:, :2], axis=1), 1)
    corner = np.rint((boxes[:, :2] + boxes[:, 2:] - side[:, None]) / 2).astype(np.int64)
    return np.concatenate([corner, corner + np.rint(side).astype(np.int64)[:, None]], axis=1)


def cut(rgb: NDArray[np.uint8], square: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """The content of one whole-pixel ``square``, black where it leaves the image, scaled to ``(size, size, 3)``."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = (int(edge) for edge in square)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if (x0, y0, x1, y1) == (left, top, right, bottom):
        patch = rgb[top:bottom, left:right]
    else:
        patch = np.zeros((bottom - top, right - left, 3), np.uint8)
        if x0 < x1 and y0 < y1:
            patch[y0 - top : y1 - top, x0 - left : x1 - left] = rgb[y0:y1, x0:x1]
    return np.asarray(cv2.resize(patch, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
