"""Which of several faces is the one the photograph was taken of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.faces.detect import Faces


def main_face(faces: Faces, width: int, height: int) -> int | None:
    """Index of the main face of an image of ``width`` x ``height`` pixels, ``None`` where there is no face.

    The main face is large and central: it has the greatest box area minus twice the squared distance of the box's
    centre to the image's centre (the rule by which insightface's LFW crops were chosen). The first wins a tie.
    """
    if len(faces) == 0:
        return None
    return int(np.argmax(face_values(faces, width, height)))


def face_values(faces: Faces, width: int, height: int) -> NDArray[np.float64]:
    """What :func:`main_face` goes by, of each face: its area minus twice the squared distance, in square pixels."""
    boxes = faces.boxes.astype(np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    away = (boxes[:, :2] + boxes[:, 2:]) / 2 - (width / 2, height / 2)
    return np.asarray(size[:, 0] * size[:, 1] - 2 * np.sum(away * away, axis=1), dtype=np.float64)


def only_main(faces: Faces, width: int, height: int) -> Faces:
    """The main face alone, or none."""
    index = main_face(faces, width, height)
    return faces if index is None else faces.take(index)
