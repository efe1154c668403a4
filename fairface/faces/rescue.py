"""What is tried on a photograph in which no face is found: other sizes, then turns, and at last a crop of the middle.

The steps are those of the fair-face system's final evaluation (ChaLearn's challenge, ECCV 2020). What they find counts
as a face-detection failure: whoever scores the crops can treat these photographs apart.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.faces.choose import main_face
from fairface.faces.detect import FaceDetector, LimitedDetector
from fairface.faces.find import counted, find_main, look
from fairface.faces.landmarks import Landmarks

SIZES = (80, 160, 320, 480, 640, 800, 960)  # pixels of the longer side
ANGLES = (-15, 15, -30, 30, -45, 45)  # degrees, counter-clockwise as one sees the image
CUT = 0.06  # of the width left and right, of the height above and below

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]


def find_or_rescue(
    detector: FaceDetector, rgb: Image, name: str, enlarge: float = 1.0, border: int = 0, count: bool = True
) -> Landmarks:
    """The main face of ``rgb (H, W, 3)`` in its own pixels, looked for ever harder; ``how`` tells where it was found.

    1. ``detected``: as :func:`fairface.faces.find.find_main` does, with ``enlarge`` and ``border``.
    2. ``forced``: the photograph is resized, up or down, until its longer side is each of ``SIZES`` in turn.
    3. ``rotated``: it is turned by each of ``ANGLES``, every time at all of these sizes.
    4. ``cropped``: nothing was found; there are no points, and :func:`last_resort` makes the crop.

    The first hit wins. A photograph without any face costs fifty detections. ``count`` as in ``find_main``.
    """
    row = find_main(detector, rgb, name, enlarge, border, count)
    if row.points is not None:
        return row
    if isinstance(detector, LimitedDetector):  # else it would look at 640 pixels again where 960 are meant
        detector = detector.without_limit()
    for angle in (0, *ANGLES):
        for longer in SIZES:
            found = _find_in_copy(detector, rgb, name, longer, angle, count)
            if found is not None:
                return found
    return Landmarks(name, 0, None, None, "cropped")


def last_resort(rgb: Image, size: int) -> Image:
    """The middle of ``rgb (H, W, 3)``, ``CUT`` taken off each side, stretched to ``(size, size, 3)``."""
    height, width = rgb.shape[:2]
    top, left = round(CUT * height), round(CUT * width)
    middle = rgb[top : height - top, left : width - left]
    shrinks = min(middle.shape[:2]) >= size
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (size, size), interpolation=way), dtype=np.uint8)


def _find_in_copy(
    detector: FaceDetector, rgb: Image, name: str, longer: int, angle: float, count: bool
) -> Landmarks | None:
    copy, matrix = resized(rgb, longer)
    if angle:
        copy, turn = turned(copy, angle)
        matrix = turn @ matrix
    faces = look(detector, copy, count)
    index = main_face(faces, width=copy.shape[1], height=copy.shape[0])
    if index is None:
        return None
    back = np.linalg.inv(matrix)
    points = faces.landmarks[index].astype(np.float64) @ back[:2, :2].T + back[:2, 2]
    seen, how = counted(detector, faces, count), "rotated" if angle else "forced"
    return Landmarks(name, seen, float(faces.scores[index]), points.astype(np.float32), how)


def resized(rgb: Image, longer: int) -> tuple[Image, Matrix]:
    """``rgb`` with a longer side of ``longer`` pixels, and the (3, 3) matrix of the places in it.

    The matrix takes (x, y, 1) in ``rgb`` to the copy, both counted from the centre of the first pixel.
    """
    height, width = rgb.shape[:2]
    scale = longer / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    x, y = size[0] / width, size[1] / height
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return np.asarray(cv2.resize(rgb, size, interpolation=way), dtype=np.uint8), matrix


def turned(rgb: Image, angle: float) -> tuple[Image, Matrix]:
    """``rgb`` turned by ``angle`` degrees counter-clockwise, and the (3, 3) matrix as in :func:`resized`.

    The image grows so that its corners stay inside; what comes in is black.
    """
    height, width = rgb.shape[:2]
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    wide = math.ceil(abs(cos) * width + abs(sin) * height)
    high = math.ceil(abs(sin) * width + abs(cos) * height)
    turn = np.array([[cos, sin], [-sin, cos]])  # y points down
    shift = np.array([wide - 1, high - 1]) / 2 - turn @ (np.array([width - 1, height - 1]) / 2)
    matrix = np.vstack([np.column_stack([turn, shift]), [0, 0, 1]])
    return np.asarray(cv2.warpAffine(rgb, matrix[:2], (wide, high), flags=cv2.INTER_LINEAR), dtype=np.uint8), matrix
