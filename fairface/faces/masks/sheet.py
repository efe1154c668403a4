"""A contact sheet to judge masks by eye: a row for each face, a column for each style."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.data.images import resize
from fairface.errors import ConfigError
from fairface.faces.masks.draw import draw_mask
from fairface.faces.masks.parameters import MaskChoice, MaskParameters
from fairface.faces.masks.pose import MaskRefusedError
from fairface.faces.masks.textures import Textures

Image = NDArray[np.uint8]
_GAP, _TITLE = 2, 14


def contact_sheet(
    faces: Sequence[tuple[Image, ArrayLike]], choice: MaskChoice, seed: int = 0, side: int = 112
) -> Image:
    """The faces without a mask and with one of each style, each cell ``side`` pixels wide; RGB.

    Args:
        faces: images with their 5 or 68 landmarks. A face that is refused is crossed out.
        choice: the styles, one column each; pictures of the user's follow.
        seed: decides what is drawn; no two cells wear the same mask.
        side: of a cell, pixels.

    Raises:
        ConfigError: no faces.
    """
    if not faces:
        raise ConfigError("a contact sheet needs a face at least; name photographs or a folder of them")
    kinds = choice.kinds
    step = side + _GAP
    sheet = np.full((_TITLE + step * len(faces), step * (1 + len(kinds)), 3), 255, np.uint8)
    for place, title in enumerate(("original", *(picture or style.name for style, picture in kinds))):
        at = (place * step + 2, 10)
        cv2.putText(sheet, title[:18], at, cv2.FONT_HERSHEY_SIMPLEX, 0.32, (0, 0, 0), 1, cv2.LINE_AA)
    for row, (image, points) in enumerate(faces):
        cells = [image]
        for style, picture in kinds:
            rng = np.random.default_rng([seed, row, len(cells)])
            cells.append(_cell(image, points, choice.draw_as(rng, style, picture), choice.textures))
        for place, cell in enumerate(cells):
            top, left = _TITLE + row * step, place * step
            sheet[top : top + side, left : left + side] = resize(cell, side)
    return sheet


def _cell(image: Image, points: ArrayLike, mask: MaskParameters, textures: Textures) -> Image:
    try:
        return draw_mask(image, points, mask, textures=textures).image
    except MaskRefusedError:
        crossed = image.copy()
        cv2.line(crossed, (0, 0), (image.shape[1] - 1, image.shape[0] - 1), (255, 0, 0), 2)
        return crossed
