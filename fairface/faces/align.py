"""Turn, scale and shift a face so that its five landmarks fall where every net of the field expects them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.errors import ConfigError, DataError
from fairface.faces.layouts import ARCFACE, DLIB, TEMPLATE_112, template

__all__ = ["FILLS", "TEMPLATE_112", "adapted", "align", "similarity", "template"]

FILLS = ("black", "edge")


def similarity(points: ArrayLike, size: int = 112, layout: str = ARCFACE) -> NDArray[np.float64]:
    """The (2, 3) matrix that turns, scales and shifts five ``points (5, 2)`` onto the template as well as possible.

    Least squares over rotation, scale and shift without reflection (Umeyama, PAMI 1991), so a mirrored face stays
    mirrored. In the plane this has a closed form: with points as complex numbers z and targets w, both centred, the
    rotation and scale are a = sum(conj(z) w) / sum(|z|^2).

    Raises:
        DataError: the points are not five finite pairs, or all lie at one place.
        ConfigError: an unknown layout.
    """
    given = np.asarray(points, dtype=np.float64)
    if given.shape != (5, 2) or not np.isfinite(given).all():
        raise DataError("a face needs five landmarks, each with a finite x and y")
    target = template(size, layout)
    centre, target_centre = given.mean(axis=0), target.mean(axis=0)
    z = (given - centre) @ (1, 1j)
    w = (target - target_centre) @ (1, 1j)
    spread = np.sum(np.abs(z) ** 2)
    if spread == 0:
        raise DataError("the five landmarks of a face all lie at one place")
    a = np.sum(np.conj(z) * w) / spread
    turn = np.array([[a.real, -a.imag], [a.imag, a.real]])
    return np.column_stack([turn, target_centre - turn @ centre])


def align(
    rgb: NDArray[np.uint8], points: ArrayLike, size: int = 112, fill: str = "black", layout: str = ARCFACE
) -> NDArray[np.uint8]:
    """The aligned crop, ``(size, size, 3)`` uint8 RGB, of the face with landmarks ``points (5, 2)``.

    Bilinear. Where the crop leaves the image it is black, as trained nets are used to, or with ``fill="edge"`` repeats
    the image's edge.

    Raises:
        DataError: see :func:`similarity`.
        ConfigError: an unknown ``fill`` or layout.
    """
    if fill not in FILLS:
        raise ConfigError(f"fill is {fill!r}; it must be one of {', '.join(FILLS)}")
    mode = cv2.BORDER_CONSTANT if fill == "black" else cv2.BORDER_REPLICATE
    crop = cv2.warpAffine(rgb, similarity(points, size, layout), (size, size), flags=cv2.INTER_LINEAR, borderMode=mode)
    return np.asarray(crop, dtype=np.uint8)


def adapted(crop: NDArray[np.uint8], size: int, layout: str) -> NDArray[np.uint8]:
    """An aligned face as a net takes it, of ``size`` pixels in ``layout``.

    A square crop of another size than dlib's chips is taken for one of ArcFace's layout and warped onto dlib's, at the
    price of sharpness and of the chin, which ArcFace's crop cuts off: its last row is repeated. Anything else is
    returned as it is.
    """
    height, width = crop.shape[:2]
    if layout != DLIB or height == size or height != width:
        return crop
    return align(crop, template(height), size, "edge", DLIB)
