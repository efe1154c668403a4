"""Which of several faces is the one the photograph was taken of."""

from __future__ import annotations

import numpy as np

from fairface.faces.detect import Faces


def main_face(faces: Faces, width: int, height: int) -> int | None:
    """Index of the main face of an image of ``width`` x ``height`` pixels, ``None`` where there is no face.

    The main face is large and central: it has the greatest box area minus twice the squared distance of the box's
    centre to the image's centre (the rule by which insightface's LFW crops were chosen). The first wins a tie.
    """
    if len(faces) == 0:
        return None
    boxes = faces.boxes.astype(np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    away = (boxes[:, :2] + boxes[:, 2:]) / 2 - (width / 2, height / 2)
    return int(np.argmax(size[:, 0] * size[:, 1] - 2 * np.sum(away * away, axis=1)))
