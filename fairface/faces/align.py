"""Turn, scale and shift a face so that its five landmarks fall where every net of the field expects them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.errors import ConfigError, DataError

# ArcFace's reference points in a 112 x 112 crop (Deng et al., CVPR 2019): the points of the older 96 x 112 crop moved
# 8 pixels to the right. Left eye, right eye, nose tip, left and right mouth corner, as seen in the image.
TEMPLATE_112: NDArray[np.float32] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
TEMPLATE_112.setflags(write=False)

FILLS = ("black", "edge")


def template(size: int) -> NDArray[np.float64]:
    """The (5, 2) reference points in a crop of ``size`` x ``size`` pixels.

    Multiples of 128 keep the 112 crop's face and add a margin left, right (8 pixels of 128) and below, as
    insightface does; any other size is the 112 crop scaled.
    """
    margin, whole = (8, 128) if size % 128 == 0 else (0, 112)
    points = TEMPLATE_112.astype(np.float64) + np.array([margin, 0])
    return np.asarray(points * (size / whole), dtype=np.float64)


def similarity(points: ArrayLike, size: int = 112) -> NDArray[np.float64]:
    """The (2, 3) matrix that turns, scales and shifts five ``points (5, 2)`` onto the template as well as possible.

    Least squares over rotation, scale and shift without reflection (Umeyama, PAMI 1991), so a mirrored face stays
    mirrored. In the plane this has a closed form: with points as complex numbers z and targets w, both centred, the
    rotation and scale are a = sum(conj(z) w) / sum(|z|^2).

    Raises:
        DataError: the points are not five finite pairs, or all lie at one place.
    """
    given = np.asarray(points, dtype=np.float64)
    if given.shape != (5, 2) or not np.isfinite(given).all():
        raise DataError("a face needs five landmarks, each with a finite x and y")
    target = template(size)
    centre, target_centre = given.mean(axis=0), target.mean(axis=0)
    z = (given - centre) @ (1, 1j)
    w = (target - target_centre) @ (1, 1j)
    spread = np.sum(np.abs(z) ** 2)
    if spread == 0:
        raise DataError("the five landmarks of a face all lie at one place")
    a = np.sum(np.conj(z) * w) / spread
    turn = np.array([[a.real, -a.imag], [a.imag, a.real]])
    return np.column_stack([turn, target_centre - turn @ centre])


def align(rgb: NDArray[np.uint8], points: ArrayLike, size: int = 112, fill: str = "black") -> NDArray[np.uint8]:
    """The aligned crop, ``(size, size, 3)`` uint8 RGB, of the face with landmarks ``points (5, 2)``.

    Bilinear. Where the crop leaves the image it is black, as trained nets are used to, or with ``fill="edge"`` repeats
    the image's edge.

    Raises:
        DataError: see :func:`similarity`.
        ConfigError: an unknown ``fill``.
    """
    if fill not in FILLS:
        raise ConfigError(f"fill is {fill!r}; it must be one of {', '.join(FILLS)}")
    mode = cv2.BORDER_CONSTANT if fill == "black" else cv2.BORDER_REPLICATE
    crop = cv2.warpAffine(rgb, similarity(points, size), (size, size), flags=cv2.INTER_LINEAR, borderMode=mode)
    return np.asarray(crop, dtype=np.uint8)
