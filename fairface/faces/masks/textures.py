"""Pictures of masks from a folder of the user's, PNG files with an alpha channel."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.decoder import DECODER
from fairface.data.images import read_bytes
from fairface.errors import DataError
from fairface.faces.masks.fabric import creases
from fairface.faces.masks.styles import Fit, Style
from fairface.faces.masks.template import ASPECT, LEVEL, U_END, V_HIGH, V_LOW, WIDTHS, grid

TEXTURE_STYLE = Style("texture", "picture", ((255, 255, 255),), fit=Fit(lift=0.3), spread=0)


@dataclass(frozen=True)
class Textures:
    """Pictures by file name, each ``(H, W, 4)`` uint8 RGBA as laid on a template; empty by default."""

    pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return sorted(self.pictures)

    def layers(self, name: str, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Colours ``(2/3 width, width, 3)`` and layers ``(…, 4)`` (pattern, relief, alpha, trim) of a picture.

        Raises:
            DataError: there is no such picture.
        """
        if name not in self.pictures:
            known = ", ".join(self.names) or "none"
            raise DataError(f"there is no mask texture {name!r} (there are: {known}); name the folder that holds it")
        laid = cv2.resize(self.pictures[name], (width, round(width * ASPECT)), interpolation=cv2.INTER_AREA)
        u, v = grid(width)
        relief = LEVEL * (1 + 0.05 * creases(np.random.default_rng(len(name)), u, v, 5))
        flat = np.zeros_like(laid[..., 3])
        layers = np.stack([flat, np.clip(np.rint(relief), 0, 255).astype(np.uint8), laid[..., 3], flat], axis=-1)
        return np.ascontiguousarray(laid[..., :3]), layers


def read_textures(folder: str | os.PathLike[str]) -> Textures:
    """All PNG files of a folder. A picture is stretched over the whole mask: its first row is the upper edge.

    Raises:
        DataError: no such folder, no PNG in it, or one that cannot be read or has no alpha channel.
    """
    base = Path(folder)
    paths = sorted(path for path in base.glob("*") if path.suffix.lower() == ".png")
    if not paths:
        raise DataError(f"{base}: no mask texture in it; name a folder of PNG files with an alpha channel")
    return Textures({path.name: _laid(_read(path)) for path in paths})


def _read(path: Path) -> NDArray[np.uint8]:
    image, remark = DECODER.decode(read_bytes(path) or b"\0", cv2.IMREAD_UNCHANGED)
    if image is None or remark:
        wrong = f"a damaged image ({remark})" if remark else "not a PNG image"
        raise DataError(f"{path}: {wrong}; restore or remove it")
    if image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
        raise DataError(
            f"{path}: has no alpha channel of 8 bits, so what is mask and what is not cannot be told; "
            "save it as PNG with transparency (RGBA)"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)  # type: ignore[return-value]


def _laid(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture on the place of a mask in a template of the largest width, with a transparent margin."""
    width, height = WIDTHS[-1], round(WIDTHS[-1] * ASPECT)
    inner = (round(width / U_END), round(height / (V_HIGH - V_LOW)))
    left, top = (width - inner[0]) // 2, round(-V_LOW / (V_HIGH - V_LOW) * height)
    result = np.zeros((height, width, 4), np.uint8)
    smaller = picture.shape[1] > inner[0]
    kind = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    result[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner, interpolation=kind)
    return result
