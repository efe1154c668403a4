"""RetinaFace: one net that gives, at every place of three maps, how likely a face is there, its box and its landmarks.

Deng, Guo, Ververas, Kotsia, Zafeiriou: "RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild", CVPR 2020;
the layout of insightface's trained model R50 (its network ``net3``). The net itself is handed in as a function, so that
nothing here depends on what runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.faces.boxes import suppress
from fairface.faces.detect import FaceDetector, Faces
from fairface.faces.net_input import padded, shrunk

Floats = NDArray[np.float32]
Forward = Callable[[Floats], Sequence[Floats]]

# Pixels from cell to cell of each map, and the sides of the squares (anchors) that are centred on each of its cells.
LEVELS: tuple[tuple[int, tuple[int, ...]], ...] = ((32, (512, 256)), (16, (128, 64)), (8, (32, 16)))
PARTS = (2, 4, 10)  # channels per anchor of a level's outputs: two classes, a box, five points
MULTIPLE = LEVELS[0][0]  # an input whose sides are multiples of this fits all maps
_FIRST_CENTRE = 7.5  # of all anchors in cell (0, 0), counted from the centre of the first pixel


@dataclass(frozen=True)
class RetinaFaceConfig:
    """``threshold``: lowest score; ``overlap``: of two faces at most, as a part of their union.

    Images whose longer side exceeds ``longest`` pixels are shrunk to it, ``None``: never. ``model`` says where the net
    came from; it is only noted down.
    """

    threshold: float = 0.8
    overlap: float = 0.4
    longest: int | None = 640
    model: str = ""

    def __post_init__(self) -> None:
        for key in ("threshold", "overlap"):
            if not 0 < getattr(self, key) < 1:
                raise ConfigError(f"RetinaFace's {key} is {getattr(self, key)}; it must lie between 0 and 1")
        if self.longest is not None and self.longest < MULTIPLE:
            raise ConfigError(f"RetinaFace's longest side is {self.longest}; it needs at least {MULTIPLE} pixels")


class RetinaFaceDetector:
    """A :class:`~fairface.faces.detect.FaceDetector`, one that shrinks large images.

    Args:
        forward: the net: (1, 3, H, W) float32 RGB 0..255, H and W multiples of 32, to nine arrays: for each of
            ``LEVELS`` the classes (1, 2A, h, w), of which the last A channels are faces, boxes (1, 4A, h, w) and
            landmarks (1, 10A, h, w), where A is the number of its anchors, h = H / stride and w = W / stride.
        config: see there.
    """

    def __init__(self, forward: Forward, config: RetinaFaceConfig | None = None) -> None:
        self.forward = forward
        self.config = config or RetinaFaceConfig()

    def without_limit(self) -> FaceDetector:
        """The same detector for images of the size that they have."""
        return RetinaFaceDetector(self.forward, replace(self.config, longest=None))

    def detect(self, rgb: NDArray[np.uint8]) -> Faces:
        """The faces of ``rgb (H, W, 3)`` uint8 RGB, highest score first."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"an image must be (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
        copy = shrunk(rgb, self.config.longest)
        pixels = padded(copy, MULTIPLE)
        outputs = self.forward(pixels)
        _check(outputs, pixels.shape[2], pixels.shape[3])
        found = [
            decode(outputs[3 * k : 3 * k + 3], stride, sides, self.config.threshold)
            for k, (stride, sides) in enumerate(LEVELS)
        ]
        boxes = _clipped(np.concatenate([faces.boxes for faces in found]), pixels.shape[2], pixels.shape[3])
        scores = np.concatenate([faces.scores for faces in found])
        landmarks = np.concatenate([faces.landmarks for faces in found])
        kept = suppress(boxes, scores, self.config.overlap)
        ratio = np.array([rgb.shape[1] / copy.shape[1], rgb.shape[0] / copy.shape[0]], np.float32)
        return Faces(boxes[kept], scores[kept], landmarks[kept]).moved_back(ratio)


def decode(outputs: Sequence[Floats], stride: int, sides: Sequence[int], threshold: float) -> Faces:
    """The faces that one level's three outputs tell of, in pixels of the net's input; they may overlap.

    A box's centre is the anchor's, moved by parts of the anchor's side; its width and height are that side times the
    exponential of what the net gives. Landmarks are moved as the centre is. insightface counts a box's last pixel
    (width = x2 - x1 + 1), so its x1 is an edge here, and its x2 + 1.
    """
    count = len(sides)
    scores = outputs[0][0, -count:]
    anchor, row, column = np.nonzero(scores >= threshold)
    height, width = scores.shape[1:]
    moves = outputs[1].reshape(count, 4, height, width)[anchor, :, row, column]
    points = outputs[2].reshape(count, 5, 2, height, width)[anchor, :, :, row, column]
    side = np.asarray(sides, np.float32)[anchor][:, None]
    centre = np.stack([column, row], axis=1).astype(np.float32) * stride + np.float32(_FIRST_CENTRE)
    middle = centre + moves[:, :2] * side + np.float32(0.5)
    half = np.exp(moves[:, 2:]) * side / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    landmarks = centre[:, None] + points * side[:, None]
    return Faces(boxes.astype(np.float32), scores[anchor, row, column], landmarks.astype(np.float32))


def output_shapes(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """The shapes of the nine outputs for an input of ``height`` x ``width`` pixels."""
    return [(1, part * len(sides), height // stride, width // stride) for stride, sides in LEVELS for part in PARTS]


def _clipped(boxes: Floats, height: int, width: int) -> Floats:
    """Boxes cut to the image, at least a pixel of it; insightface does so before it compares them."""
    low = np.array([0, 0, 1, 1], np.float32)
    high = np.array([width - 1, height - 1, width, height], np.float32)
    return np.clip(boxes, low, high)


def _check(outputs: Sequence[Floats], height: int, width: int) -> None:
    found, wanted = [output.shape for output in outputs], output_shapes(height, width)
    if found != wanted:
        raise ValueError(f"the net must give {wanted}, not {found}")
