"""Images of known identity with their features: the queries, or the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError


@dataclass(frozen=True)
class ImageSet:
    """N images.

    Attributes:
        features: (N, D), of any length.
        subjects: (N,) who each shows; numbers are common to queries and gallery.
        cameras: (N,) what took each, or ``None``. Where queries and gallery have it, a gallery image of the query's
            identity and camera is left out for this query, as in re-identification.
    """

    features: NDArray[np.floating]
    subjects: NDArray[np.integer]
    cameras: NDArray[np.integer] | None = None


def check_image_sets(queries: ImageSet, gallery: ImageSet) -> None:
    """Refuse sets that do not fit together.

    Raises:
        DataError: no query, an empty gallery, features without one subject (and camera) each, features of different
            lengths, or cameras in one of the sets only.
    """
    for what, images in (("queries", queries), ("gallery", gallery)):
        numbers = [images.subjects, *([] if images.cameras is None else [images.cameras])]
        if images.features.ndim != 2 or any(of.shape != (len(images.features),) for of in numbers):
            raise DataError(
                f"{what}: features have shape {images.features.shape}, subjects (and cameras) "
                f"{', '.join(str(of.shape) for of in numbers)}; give one of each for every image"
            )
        if len(images.features) == 0:
            raise DataError(f"{what}: holds no image, so there is nothing to rank; check its folder or file")
    sizes = queries.features.shape[1], gallery.features.shape[1]
    if sizes[0] != sizes[1]:
        raise DataError(f"queries have {sizes[0]} values, the gallery {sizes[1]}; make both with one model")
    if (queries.cameras is None) != (gallery.cameras is None):
        raise DataError("cameras are known of one of queries and gallery only; give them of both, or of none")
