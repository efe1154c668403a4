"""The aligned crop of a photograph's main face: the part of the public face that needs no model of ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.errors import DataError
from fairface.faces import align as alignment
from fairface.faces.detect import FaceDetector
from fairface.faces.find import find_main
from fairface.faces.layouts import ARCFACE, SIZES
from fairface.faces.mtcnn import MtcnnDetector
from fairface.faces.photographs import read_photograph

IMAGE_DIMENSIONS, CHANNELS = 3, 3


class TakesFaces(Protocol):
    """A model, as far as alignment must know it: :class:`fairface.embedding.model.Model`."""

    @property
    def image_size(self) -> int:
        """Height and width in pixels of the faces that it takes."""

    @property
    def layout(self) -> str:
        """Where it expects the landmarks (:mod:`fairface.faces.layouts`)."""


def align(
    photograph: NDArray[np.uint8] | str | os.PathLike[str],
    landmarks: ArrayLike | None = None,
    detector: FaceDetector | None = None,
    size: int | None = None,
    model: TakesFaces | None = None,
) -> NDArray[np.uint8]:
    """The main face of a photograph, turned, scaled and cropped as face recognition models expect it.

    Args:
        photograph: ``(H, W, 3)`` uint8 RGB, or the path of an image file.
        landmarks: ``(5, 2)`` pixels (x, y) of the left eye, right eye, nose tip, left and right mouth corner, as seen
            in the image; ``None``: found by the detector. The main face is the large and central one.
        detector: ``None``: MTCNN, loaded again for each call; for many photographs make one
            :class:`~fairface.faces.mtcnn.MtcnnDetector` and hand it in.
        size: height and width of the crop; ``None``: as the model takes it, 112 without a model.
        model: the model that the face is for; ``None``: any but dlib's, which has an alignment of its own.

    Returns:
        ``(size, size, 3)`` uint8 RGB.

    Raises:
        DataError: no face is found, the file is no whole image, or the array is no RGB image.
        MissingPackageError: the nets of MTCNN are not installed.

    >>> import numpy as np
    >>> from fairface import align
    >>> photograph = np.zeros((480, 640, 3), np.uint8)
    >>> align(photograph, landmarks=[(290, 210), (350, 210), (320, 245), (295, 280), (345, 280)]).shape
    (112, 112, 3)
    >>> align(photograph)
    Traceback (most recent call last):
    fairface.errors.DataError: the photograph: no face found in 640x480 pixels; use another photograph or give landmarks
    """
    rgb, name = _pixels(photograph)
    points = landmarks
    if points is None:
        points = find_main(detector or MtcnnDetector(), rgb, name).points
    if points is None:
        height, width = rgb.shape[:2]
        raise DataError(f"{name}: no face found in {width}x{height} pixels; use another photograph or give landmarks")
    layout = model.layout if model else ARCFACE
    return alignment.align(rgb, points, size or (model.image_size if model else SIZES[layout]), layout=layout)


def _pixels(photograph: NDArray[np.uint8] | str | os.PathLike[str]) -> tuple[NDArray[np.uint8], str]:
    """The pixels, and how to name the photograph in an error."""
    if not isinstance(photograph, np.ndarray):
        return read_photograph(Path(photograph), str(photograph)), str(photograph)
    if photograph.ndim != IMAGE_DIMENSIONS or photograph.shape[2] != CHANNELS or photograph.dtype != np.uint8:
        raise DataError(f"the photograph: is {photograph.dtype} {photograph.shape}; it must be uint8 (H, W, 3) RGB")
    return photograph, "the photograph"
