"""A data set that lies in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.data.images import encode_png
from fairface.data.types import UNLABELED
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.quantity import quantity


class ArrayDataset(IndexedDataset):
    """Images that are decoded already.

    Args:
        images: (N, H, W, 3) uint8 RGB.
        labels: (N,) integers, ``-1`` where unlabeled.
        attributes: (N, K) integers, ``-1`` where unknown.
        attribute_names: K names.
        names: N names; default ``image 0``, ``image 1`` …
        num_classes: number of identities; default one more than the highest label.

    Raises:
        DataError: shapes or types do not fit each other.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: ArrayLike,
        attributes: ArrayLike | None = None,
        attribute_names: Sequence[str] = (),
        names: Sequence[str] | None = None,
        num_classes: int | None = None,
    ) -> None:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise DataError(f"images must be uint8 (N, H, W, 3), not {images.dtype} {images.shape}")
        label_array = np.asarray(labels, np.int32)
        if label_array.shape != (len(images),) or (names is not None and len(names) != len(images)):
            raise DataError(
                f"{quantity(len(images), 'image needs', 'images need')} as many labels and names, not labels of shape "
                f"{label_array.shape}" + ("" if names is None else f" and {quantity(len(names), 'name')}")
            )
        classes = int(label_array.max(initial=UNLABELED)) + 1 if num_classes is None else num_classes
        if label_array.min(initial=UNLABELED) < UNLABELED or label_array.max(initial=UNLABELED) >= classes:
            raise DataError(
                f"labels must be -1 (unlabeled) or 0 to {classes - 1}, not {label_array.min()} to {label_array.max()}"
            )
        values = None if attributes is None else np.asarray(attributes, np.int8)
        super().__init__("images in memory", label_array, classes, values, attribute_names)
        self.images = images
        self._names = None if names is None else list(names)

    @property
    def holds_pixels(self) -> bool:
        """True."""
        return True

    def name(self, index: int) -> str:
        self._check(index)
        return f"image {index}" if self._names is None else self._names[index]

    def encoded(self, index: int) -> bytes:
        """The image as PNG."""
        return encode_png(self.images[self._check(index)])

    def decoded(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, without a copy."""
        return self.images[self._check(index)]
