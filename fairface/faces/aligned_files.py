"""Image files with known landmarks, as a data set of aligned faces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.encoded import FileDataset
from fairface.data.images import encode_png
from fairface.errors import DataError
from fairface.faces.align import align
from fairface.faces.layouts import ARCFACE
from fairface.faces.photographs import read_photograph
from fairface.quantity import quantity


class AlignedFiles(FileDataset):
    """Images below ``root``, unlabeled, each aligned by its five landmarks when it is read.

    Args:
        root: the folder.
        names: N paths below it.
        points: (N, 5, 2) left eye, right eye, nose tip, left and right mouth corner, in pixels.
        size: side of the aligned images.
        layout: of the aligned images (:mod:`fairface.faces.layouts`).

    Raises:
        DataError: a name leaves ``root``, files are missing (counted, the first few are named), or there are other
            points than images.
    """

    def __init__(
        self, root: str | os.PathLike[str], names: Sequence[str], points: NDArray[np.float32], size: int = 112,
        layout: str = ARCFACE,
    ) -> None:  # fmt: skip
        if points.shape != (len(names), 5, 2):
            raise DataError(
                f"{Path(root)}: points of shape {points.shape} for {quantity(len(names), 'image')}; give five for each"
            )
        super().__init__(root, names)
        self.points = points
        self.size = size
        self.layout = layout

    def decoded(self, index: int) -> NDArray[np.uint8]:
        """The aligned face, (size, size, 3) uint8 RGB.

        Raises:
            DataError: the image cannot be read, or its points lie at one place.
        """
        name = self.name(index)
        image = read_photograph(self.paths[index], name)
        try:
            return align(image, self.points[index], self.size, layout=self.layout)
        except DataError as error:
            raise DataError(f"{name}: {error}; correct its line in the list of landmarks") from error

    def encoded(self, index: int) -> bytes:
        """The aligned face as PNG."""
        return encode_png(self.decoded(index))
