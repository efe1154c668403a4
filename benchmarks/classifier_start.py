"""What the sides of classifier.py start from: the same centres, embeddings and labels. Imports no framework."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 1 << 15  # drawn at once


def centres(job: dict[str, Any]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The class centres, as the position of the first and some rows."""
    rng = np.random.default_rng(0)
    for start in range(0, job["classes"], ROWS):
        rows = min(ROWS, job["classes"] - start)
        yield start, rng.standard_normal((rows, job["embedding"]), np.float32) * np.float32(0.01)


def batch(job: dict[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embeddings (B, D) and labels (B,)."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, job["classes"], job["batch"])
    return rng.standard_normal((job["batch"], job["embedding"]), np.float32), labels
