"""The same start for two frameworks: weights and batches in a folder. Needs only numpy, as both sides read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS, BATCHES = "weights.npz", "batches.npz"
# The last word of a parameter's name, ours and PyTorch's.
WORDS = {
    "weight": "weight", "gamma": "weight", "beta": "bias", "bias": "bias",
    "running_mean": "running_mean", "running_var": "running_var",
}  # fmt: skip
Shapes = Sequence[tuple[str, tuple[int, ...]]]


def write_batches(folder: Path, count: int, batch: int, image_size: int, classes: int) -> None:
    """``count`` random batches: images (count, B, H, W, 3) uint8 and labels (count, B)."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, batch, image_size, image_size, 3), dtype=np.uint8)
    np.savez(folder / BATCHES, images=images, labels=rng.integers(0, classes, (count, batch)))


def read_batches(folder: Path) -> list[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    with np.load(folder / BATCHES) as arrays:
        return list(zip(arrays["images"], arrays["labels"], strict=True))


def matched(ours: Shapes, theirs: Shapes) -> dict[str, str]:
    """PyTorch's name of a parameter to ours. Both are given in the order of the layers, with their shapes.

    Raises:
        ValueError: the two lists do not match; the first pair that differs is named.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"ours has {len(ours)} arrays, PyTorch's net {len(theirs)}; they are different nets")
    for (name, shape), (other, other_shape) in zip(ours, theirs, strict=True):
        if WORDS[name.rpartition(".")[2]] != other.rpartition(".")[2] or shape != other_shape:
            raise ValueError(f"ours has {name} {shape} where PyTorch's net has {other} {other_shape}")
    return {other: name for (name, _), (other, _) in zip(ours, theirs, strict=True)}


def shapes(arrays: Mapping[str, NDArray[np.float32]]) -> Shapes:
    return [(name, array.shape) for name, array in arrays.items()]
