"""A generated image and the embedding that it must give, beside an export.

Most reports that a network got worse as ONNX are about pixels: channels in another order, normalised twice or not at
all. Whoever loads the file elsewhere embeds ``self_check.png`` and compares with ``self_check.npy``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.images import encode_png
from fairface.files import atomic_write
from fairface.interop.onnx.session import OnnxNet, planes

IMAGE, EMBEDDING = "self_check.png", "self_check.npy"
_CELLS = 14


def generated_images(count: int, size: int) -> NDArray[np.uint8]:
    """Coloured patterns, uint8 ``(count, size, size, 3)`` RGB: no two channels are alike."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, _CELLS, _CELLS, 3), np.uint8)
    images = [cv2.resize(cells, (size, size), interpolation=cv2.INTER_CUBIC) for cells in coarse]
    return np.stack(images)


def write_self_check(folder: Path, net: OnnxNet) -> None:
    """Write the image and its embedding (D,) float32, not normalised and without the mirrored view."""
    image = generated_images(1, net.image_size)
    embedding = net(planes(image))[0]
    with atomic_write(folder / IMAGE) as file:
        file.write(encode_png(image[0]))
    with atomic_write(folder / EMBEDDING) as file:
        np.save(file, embedding)
