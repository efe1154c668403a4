"""Find the main face of a photograph, in one that is small or cropped tightly too."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.faces.choose import main_face
from fairface.faces.detect import FaceDetector, Faces, MainFaceDetector
from fairface.faces.landmarks import Landmarks

LONGEST = 4096  # pixels of a photograph's longer side; a phone's 12 megapixels have 4032


def find_faces(
    detector: FaceDetector, rgb: NDArray[np.uint8], enlarge: float = 1.0, border: int = 0, count: bool = True
) -> Faces:
    """The faces of ``rgb (H, W, 3)``, in its own pixels, looked for in an enlarged copy with a border.

    The copy is ``enlarge`` times as large, then its edge pixels are repeated ``border`` pixels outwards. Detectors miss
    faces that are small or touch the edge of the image; this gives them size and surroundings. Without ``count`` a
    :class:`~fairface.faces.detect.MainFaceDetector` gives the main face of the copy only, sooner.

    A photograph whose longer side exceeds ``LONGEST`` pixels is first taken to be that long: the detector's memory
    grows with the pixels (5.8 GB for 108 megapixels), and a main face is not found by more of them.
    """
    height, width = rgb.shape[:2]
    shrink = min(1.0, LONGEST / max(height, width))
    enlarge *= shrink
    if enlarge == 1.0 and border == 0:
        return look(detector, rgb, count)
    size = (max(round(width * enlarge), 1), max(round(height * enlarge), 1))
    wide = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC if shrink == 1.0 else cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(wide, border, border, border, border, cv2.BORDER_REPLICATE)
    faces = look(detector, np.asarray(wide, dtype=np.uint8), count)
    return faces.moved_back(np.array([width / size[0], height / size[1]], np.float32), border)


def look(detector: FaceDetector, rgb: NDArray[np.uint8], count: bool) -> Faces:
    """All faces; without ``count`` only the main one, if the detector finds it sooner."""
    return detector.detect(rgb) if count or not isinstance(detector, MainFaceDetector) else detector.detect_main(rgb)


def counted(detector: FaceDetector, faces: Faces, count: bool) -> int | None:
    """How many faces :func:`look` saw, ``None`` where it saw one and did not look for others."""
    return None if len(faces) and not count and isinstance(detector, MainFaceDetector) else len(faces)


def find_main(
    detector: FaceDetector, rgb: NDArray[np.uint8], name: str, enlarge: float = 1.0, border: int = 0, count: bool = True
) -> Landmarks:
    """The main face of a photograph as a row of the landmarks table; ``faces`` is 0 where there is none.

    Without ``count`` the detector may stop once it has the main face; ``faces`` is ``None`` then.
    """
    faces = find_faces(detector, rgb, enlarge, border, count)
    index = main_face(faces, width=rgb.shape[1], height=rgb.shape[0])
    if index is None:
        return Landmarks(name, 0, None, None)
    return Landmarks(name, counted(detector, faces, count), float(faces.scores[index]), faces.landmarks[index])
