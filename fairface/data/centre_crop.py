"""A square around a fixed place of larger images, as VirFace cuts faces out of aligned photographs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.data.images import resize
from fairface.data.types import Dataset, Sample
from fairface.data.view import DatasetView
from fairface.errors import SKIP_BAD, DataError

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class CentreCrop:
    """A square of ``side`` pixels, ``offset`` (x, y) pixels right of and below the middle, with ``margin`` more pixels
    on every side."""

    side: int
    offset: tuple[int, int] = (0, 0)
    margin: int = 0

    def cut(self, image: Image, name: str) -> Image:
        """``(side + 2 * margin, side + 2 * margin, 3)`` of ``image (H, W, 3)``, not copied.

        Raises:
            DataError: the square does not lie within the image, which ``name`` names.
        """
        height, width = image.shape[:2]
        left, top = (
            round((length - self.side) / 2) + move - self.margin
            for length, move in zip((width, height), self.offset, strict=True)
        )
        whole = self.side + 2 * self.margin
        if left < 0 or top < 0 or left + whole > width or top + whole > height:
            raise DataError(
                f"{name}: is {width}x{height} pixels; a square of {whole} pixels, {self.offset[0]} right of and "
                f"{self.offset[1]} below the middle, does not lie within; choose a smaller crop, or larger images",
                settings=(SKIP_BAD,),
            )
        return image[top : top + whole, left : left + whole]


class CroppedDataset(DatasetView):
    """``base`` with every image cut and resized to ``size``."""

    def __init__(self, base: Dataset, crop: CentreCrop, size: int) -> None:
        super().__init__(base)
        self.crop = crop
        self.size = size

    def __getitem__(self, index: int) -> Sample:
        return Sample(self.decoded(index), int(self.labels[index]), self.attributes[index], self.name(index))

    def decoded(self, index: int) -> Image:
        """(size, size, 3) uint8 RGB.

        Raises:
            DataError: the record cannot be decoded, or the square does not lie within it.
        """
        return resize(np.ascontiguousarray(self.crop.cut(super().decoded(index), self.name(index))), self.size)
