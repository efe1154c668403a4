"""A contact sheet to judge masks by eye: a row for each face, a column for each style."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.data.images import resize
from fairface.errors import ConfigError
from fairface.faces.masks.draw import draw_mask
from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.pose import MaskRefusedError
from fairface.faces.masks.styles import STYLES
from fairface.faces.masks.textures import Textures

Image = NDArray[np.uint8]
_GAP, _TITLE = 2, 14


def contact_sheet(faces: Sequence[tuple[Image, ArrayLike]], choice: MaskChoice, seed: int = 0, side: int = 112) -> Image:
    """The faces without a mask and with one of each style, each cell ``side`` pixels wide; RGB.

    Args:
        faces: images with their 5 or 68 landmarks. A face that is refused is crossed out.
        choice: the styles, one column each; pictures of the user's follow.
        seed: of the first column's masks; no two cells have the same.

    Raises:
        ConfigError: no faces.
    """
    if not faces:
        raise ConfigError("a contact sheet needs a face at least; name photographs or a folder of them")
    columns = _columns(choice)
    step = side + _GAP
    sheet = np.full((_TITLE + step * len(faces), step * (1 + len(columns)), 3), 255, np.uint8)
    for place, title in enumerate(("original", *columns)):
        cv2.putText(sheet, title[:18], (place * step + 2, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.32, (0, 0, 0), 1, cv2.LINE_AA)
    for row, (image, points) in enumerate(faces):
        drawn = [image, *(_cell(image, points, each, seed + row * 1000 + i) for i, each in enumerate(columns.values()))]
        for place, cell in enumerate(drawn):
            top, left = _TITLE + row * step, place * step
            sheet[top : top + side, left : left + side] = resize(cell, side)
    return sheet


def _columns(choice: MaskChoice) -> dict[str, MaskChoice]:
    styles = choice.styles or tuple(STYLES)
    shares = {"nose_out": choice.nose_out, "chin": choice.chin}
    columns = {name: MaskChoice((name,), **shares) for name in styles}
    for name in choice.textures.names:
        columns[name] = MaskChoice((), **shares, textures=Textures({name: choice.textures.pictures[name]}))
    return columns


def _cell(image: Image, points: ArrayLike, choice: MaskChoice, seed: int) -> Image:
    try:
        return draw_mask(image, points, choice, seed).image
    except MaskRefusedError:
        crossed = image.copy()
        cv2.line(crossed, (0, 0), (image.shape[1] - 1, image.shape[0] - 1), (255, 0, 0), 2)
        return crossed
