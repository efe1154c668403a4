"""Photographs of low quality, made from good ones, the same each time: scaled down, blurred, scaled up again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.images import decode, encode_png, read_bytes
from fairface.errors import DataError

FACTOR = 4
SIGMA = 0.5  # standard deviation of the blur, in pixels of the small picture


def degrade(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``image (H, W, 3)`` at a quarter of its side, each pixel the mean of its 4 x 4, blurred, and back at (H, W)."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // FACTOR, height // FACTOR), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), SIGMA)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def degrade_folder(source: Path, target: Path) -> None:
    """``source/<person>/<photo>.jpg``, degraded, as ``target/<person>/<photo>.png``; nothing when ``target`` is there.

    Raises:
        DataError: no photographs, or one that cannot be decoded.
    """
    if target.is_dir():
        return
    names = sorted(path.relative_to(source) for path in source.glob("*/*.jpg"))
    if not names:
        raise DataError(f"{source}: holds no <person>/<photo>.jpg; give the folder that prepare_lfw.py wrote")
    part = target.with_name(f"{target.name}.part")
    for name in names:
        file = (part / name).with_suffix(".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode_png(degrade(decode(read_bytes(source / name), str(source / name)))))
    part.rename(target)
