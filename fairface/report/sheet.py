"""A sheet of small images, to look at what a network sees."""

from __future__ import annotations

import os
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.files import atomic_write

Image = NDArray[np.uint8]
_GAP = 2  # pixels between images
_CAPTION = 14  # pixels of a caption's line
_BACKGROUND = 255
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.35


def contact_sheet(
    images: NDArray[np.uint8], columns: int = 8, captions: Sequence[str] | None = None, scale: int = 1
) -> Image:
    """Images (N, H, W, 3) uint8 RGB side by side, row after row, on white: uint8 (height, width, 3) RGB.

    Args:
        images: the images.
        columns: images in a row.
        captions: N short ASCII texts, written below the images; what is too wide is cut off.
        scale: each pixel becomes a square of this side.

    Raises:
        DataError: images of another kind, no images, or another number of captions.
    """
    if not len(images) or images.shape[1:] != (*images.shape[1:3], 3) or images.dtype != np.uint8:
        raise DataError(f"a sheet needs uint8 images (N, H, W, 3), not {images.dtype} of shape {images.shape}")
    if captions is not None and len(captions) != len(images):
        raise DataError(f"a sheet of {len(images)} images needs as many captions, not {len(captions)}")
    if min(columns, scale) < 1:
        raise DataError(f"a sheet needs 1 or more columns and a scale of 1 or more, not {columns} and {scale}")
    columns = min(columns, len(images))
    height, width = (side * scale for side in images.shape[1:3])
    below = 0 if captions is None else _CAPTION
    step_y, step_x = height + below + _GAP, width + _GAP
    rows = -(-len(images) // columns)
    sheet = np.full((rows * step_y + _GAP, columns * step_x + _GAP, 3), _BACKGROUND, np.uint8)
    for i, image in enumerate(images):
        top, left = _GAP + i // columns * step_y, _GAP + i % columns * step_x
        sheet[top : top + height, left : left + width] = image.repeat(scale, axis=0).repeat(scale, axis=1)
        if captions is not None:
            sheet[top + height : top + height + below, left : left + width] = _text(captions[i], width)
    return sheet


def save_png(path: str | os.PathLike[str], image: Image) -> None:
    """Write uint8 (H, W, 3) RGB as PNG; the file is whole or not there.

    Raises:
        DataError: it cannot be written.
    """
    done, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise DataError(f"{os.fspath(path)}: an image of shape {image.shape} cannot be written as PNG")
    with atomic_write(path) as file:
        file.write(encoded.tobytes())


def _text(text: str, width: int) -> Image:
    line = np.full((_CAPTION, width, 3), _BACKGROUND, np.uint8)
    cv2.putText(line, text, (0, _CAPTION - 4), _FONT, _FONT_SCALE, (0, 0, 0), 1, cv2.LINE_AA)
    return line
