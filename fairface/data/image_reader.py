"""From a record to pixels of the wanted size."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.images import check_size, decode, resize
from fairface.data.types import Dataset
from fairface.errors import DataError

Image = NDArray[np.uint8]


@runtime_checkable
class Decoded(Protocol):
    """A data set that holds its pixels: nothing needs to be decoded."""

    def decoded(self, index: int) -> Image:
        """(H, W, 3) uint8 RGB, not to be written to; raises DataError for a record that was found bad."""


class ImageReader:
    """Reads images of one data set as ``(size, size, 3)`` uint8 RGB; may be used from several threads."""

    def __init__(self, dataset: Dataset, size: int, may_resize: bool = False) -> None:
        self.dataset = dataset
        self.size = size
        self.may_resize = may_resize
        self._shape = (size, size, 3)
        self._pixels = dataset.decoded if isinstance(dataset, Decoded) else self._decode

    def read(self, index: int) -> Image:
        """The pixels of record ``index``; grey images become RGB.

        Raises:
            DataError: the record cannot be read or decoded, or has another size and may not be resized.
        """
        try:
            image = self._pixels(index)
        except (OSError, cv2.error) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{self.dataset.name(index)}: cannot be read ({reason}); restore or remove it") from error
        if image.shape != self._shape:
            if not self.may_resize:
                check_size(image, self.dataset.name(index), self.size)
            image = resize(image, self.size)
        return image

    def _decode(self, index: int) -> Image:
        """``images.decode`` without making the record's name, which takes longer than everything else but decoding."""
        data = self.dataset.encoded(index)
        if data:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
            if image is not None:
                return image  # type: ignore[return-value]
        return decode(data, self.dataset.name(index))
