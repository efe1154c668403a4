"""From a record to pixels of the wanted size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.centre_crop import CentreCrop
from fairface.data.images import check_size, resize
from fairface.data.types import Dataset
from fairface.errors import DataError

Image = NDArray[np.uint8]


class ImageReader:
    """Reads images of one data set as ``(size, size, 3)`` uint8 RGB; may be used from several threads.

    With a ``crop`` they are its squares instead, in whatever size it cuts. ``adapt`` is shown images of another size
    first, and may bring them to this one.
    """

    def __init__(
        self, dataset: Dataset, size: int, may_resize: bool = False, crop: CentreCrop | None = None,
        adapt: Callable[[Image], Image] | None = None,
    ) -> None:  # fmt: skip
        self.dataset = dataset
        self.size = size
        self.may_resize = may_resize
        self.crop = crop
        self.adapt = adapt
        self._shape = (size, size, 3)

    def read(self, index: int) -> Image:
        """The pixels of record ``index``; grey images become RGB.

        Raises:
            DataError: the record cannot be read or decoded, or has another size and may not be resized, or is too small
                for the crop.
        """
        try:
            image = self.dataset.decoded(index)
        except (OSError, cv2.error) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{self.dataset.name(index)}: cannot be read ({reason}); restore or remove it") from error
        if self.crop is not None:
            return self.crop.cut(image, self.dataset.name(index))
        if image.shape != self._shape and self.adapt is not None:
            image = self.adapt(image)
        if image.shape != self._shape:
            if not self.may_resize:
                check_size(image, self.dataset.name(index), self.size)
            image = resize(image, self.size)
        return image
