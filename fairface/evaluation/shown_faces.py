"""The images behind the comparisons that went wrong by the most."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.images import decode, read_bytes
from fairface.errors import DataError
from fairface.files import inside
from fairface.report.page.face_pairs import FacePair
from fairface.scoring.worst_errors import worst_errors

COUNT = 8
_SIDE = 112


def check_faces(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that is not there.

    Raises:
        DataError: it is no folder.
    """
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: is no folder; name the one that holds the images of the comparisons")


def worst_faces(
    scores: NDArray[np.floating], comparisons: Comparisons, threshold: float, folder: str | os.PathLike[str],
    count: int = COUNT,
) -> tuple[list[FacePair], list[FacePair]]:  # fmt: skip
    """Up to ``count`` false matches and false non-matches, with the images below ``folder``, at most 112 pixels high.

    An image that is not there stays ``None``.

    Raises:
        DataError: the comparisons name no images, a name leads out of the folder, or an image is damaged.
    """
    if not comparisons.names:
        raise DataError("the comparisons name no images, so none can be shown; leave out --report-faces")
    found = worst_errors(scores, comparisons.same, threshold, count)
    false_matches, false_non_matches = (
        [_pair(int(place), scores, comparisons, folder) for place in places] for places in found
    )
    return false_matches, false_non_matches


def _pair(
    place: int, scores: NDArray[np.floating], comparisons: Comparisons, folder: str | os.PathLike[str]
) -> FacePair:
    one, other = comparisons.names[comparisons.a[place]], comparisons.names[comparisons.b[place]]
    return FacePair((one, other), float(scores[place]), (_image(folder, one), _image(folder, other)))


def _image(folder: str | os.PathLike[str], name: str) -> NDArray[np.uint8] | None:
    path = inside(folder, name)
    if not path.is_file():
        return None
    image = decode(read_bytes(path, name), name)
    return image if image.shape[0] <= _SIDE else _shrunk(image)


def _shrunk(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = max(round(image.shape[1] * _SIDE / image.shape[0]), 1)
    return np.asarray(cv2.resize(image, (width, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
