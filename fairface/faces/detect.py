"""What a face detector gives, whatever net is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Faces:
    """The n faces of one image, highest score first, in pixels of that image (x to the right, y down).

    ``boxes (n, 4)`` float32: left, top, right, bottom edge; they may leave the image. ``scores (n,)`` float32 in 0..1.
    ``landmarks (n, 5, 2)`` float32, (x, y) of the left eye, right eye, nose tip, left and right mouth corner; left and
    right as one sees them in the image.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        shapes = (self.boxes.shape, self.scores.shape, self.landmarks.shape)
        if shapes != ((count, 4), (count,), (count, 5, 2)):
            raise ValueError(f"shapes of boxes, scores and landmarks must be (n, 4), (n,), (n, 5, 2), not {shapes}")

    def __len__(self) -> int:
        return len(self.scores)

    def moved_back(self, ratio: NDArray[np.float32], border: int = 0) -> Faces:
        """The same faces in the pixels of the image whose resized copy they were found in.

        ``ratio (2,)``: the image's width and height divided by the copy's, which then got a ``border`` of so many
        pixels on its left and top.
        """
        boxes = (self.boxes.reshape(-1, 2, 2) - border) * ratio
        # A landmark at the centre of pixel 0 has coordinate 0, half a pixel right of the image's edge.
        landmarks = (self.landmarks - np.float32(border - 0.5)) * ratio - np.float32(0.5)
        return Faces(boxes.reshape(-1, 4), self.scores, landmarks)

    def take(self, index: int) -> Faces:
        """One of them."""
        one = slice(index, index + 1)
        return Faces(self.boxes[one], self.scores[one], self.landmarks[one])

    @classmethod
    def none(cls) -> Faces:
        """No face at all."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32))


class FaceDetector(Protocol):
    """Finds faces in an image. A detector belongs to one thread: make one per thread or process."""

    def detect(self, rgb: NDArray[np.uint8]) -> Faces:
        """The faces of ``rgb (H, W, 3)`` uint8 RGB; ``len() == 0`` where there is none."""


@runtime_checkable
class MainFaceDetector(FaceDetector, Protocol):
    """A detector that finds the main face sooner than all of them."""

    def detect_main(self, rgb: NDArray[np.uint8]) -> Faces:
        """Of the faces of :meth:`detect` the one that :func:`~fairface.faces.choose.main_face` chooses, or none."""


@runtime_checkable
class LimitedDetector(FaceDetector, Protocol):
    """A detector that first shrinks images above some size."""

    def without_limit(self) -> FaceDetector:
        """The same detector for images of the size that they have."""
