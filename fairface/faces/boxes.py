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
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        whole = np.minimum(area[best], area[order]) if by_smaller else area[best] + area[order] - common
        order = order[common <= threshold * whole]
    return np.array(kept, dtype=np.intp)


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
