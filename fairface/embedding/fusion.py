"""Embeddings of several views of one image joined into one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def flip_sum(original: NDArray[np.floating], flipped: NDArray[np.floating]) -> NDArray[np.floating]:
    """f(x) + f(mirrored x), both (N, D) and **not** normalised.

    The sum of raw embeddings weighs each view by its length, which is a measure of its quality (AdaFace, Kim et al.
    2022, whose evaluation does the same). The length of the sum is kept; scoring normalises.
    """
    return original + flipped
