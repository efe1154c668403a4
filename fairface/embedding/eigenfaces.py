"""Eigenfaces: the baseline that every trained model must beat."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import quantity

COLOUR, GREY = 4, 3  # dimensions of a stack of RGB and of grey images


class Eigenfaces:
    """Principal components of aligned grey faces (Turk and Pentland 1991), as embeddings.

    Args:
        components: embedding size D.
        whiten: scale each component to unit variance on the training images, which helps cosine scoring.
    """

    def __init__(self, components: int = 60, whiten: bool = True) -> None:
        self.components = components
        self.whiten = whiten
        self._pca: Any = None
        self._shape: tuple[int, ...] = ()

    def fit(self, images: NDArray[np.uint8]) -> Eigenfaces:
        """Learn the components from ``images (N, H, W, 3)`` RGB or ``(N, H, W)`` grey, uint8; returns itself.

        Raises:
            DataError: not such an array, or fewer images or pixels than components.
        """
        from sklearn.decomposition import PCA  # here: it takes a second to import, and not every program needs it

        rows = _grey_rows(images)
        if self.components > min(rows.shape):
            raise DataError(
                f"{quantity(self.components, 'eigenface')} cannot be learnt from {quantity(rows.shape[0], 'image')} of "
                f"{rows.shape[1]} pixels; ask for at most {quantity(min(rows.shape), 'component')}"
            )
        self._pca = PCA(self.components, whiten=self.whiten, random_state=0).fit(rows)
        self._shape = images.shape[1:3]
        return self

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings (N, D) float32 of images of the size that was fitted.

        Raises:
            DataError: not fitted, or images of another size.
        """
        if self._pca is None:
            raise DataError("these eigenfaces were not fitted; call fit with the training images first")
        if images.shape[1:3] != self._shape:
            raise DataError(f"images are {images.shape[1:3]} pixels, but the eigenfaces were learnt from {self._shape}")
        return self._pca.transform(_grey_rows(images)).astype(np.float32)


def _grey_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    fits = images.ndim == GREY or (images.ndim == COLOUR and images.shape[3] == 3)
    if images.dtype != np.uint8 or not fits or 0 in images.shape:
        raise DataError(f"images are {images.dtype} {images.shape}; they must be uint8 (N, H, W, 3) or (N, H, W)")
    if images.ndim == COLOUR:
        images = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])  # type: ignore[assignment]
    return images.reshape(len(images), -1).astype(np.float32)
