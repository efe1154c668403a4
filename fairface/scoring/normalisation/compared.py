"""Scored comparisons as a normaliser sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """M comparisons of N images.

    Attributes:
        scores: (M,) finite, higher means more alike.
        a, b: (M,) positions of the two images; ``a`` is the enrolled one.
        group: (N,) 0..K-1, by label or by cluster.
        subject: (N,) who is shown; -1 unknown.
        embeddings: (N, D) of unit length; ``None`` where only scores are known.
    """

    scores: Floats
    a: Ints
    b: Ints
    group: Ints
    subject: Ints
    embeddings: Floats | None = None

    def rows(self, method: str) -> Floats:
        """The embeddings.

        Raises:
            DataError: there are none, though ``method`` needs them.
        """
        if self.embeddings is None:
            raise DataError(f"{method} needs embeddings, of the calibration people too; scores alone do for platt "
                            "and isotonic by groups")  # fmt: skip
        return self.embeddings
