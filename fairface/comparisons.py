"""Which images are compared with which, and whether they show the same subject: what every scorer takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Comparisons:
    """M comparisons between N images.

    Attributes:
        a, b: (M,) int64, positions in the list of images (or embeddings).
        same: (M,) bool, genuine (True) or impostor.
        fold: (M,) int32, the protocol's fold of each comparison; ``-1`` where it names none.
        subject_a, subject_b: (M,) int64, who is shown; ``-1`` where the protocol does not say.
        attributes: (N, K) int8 per image, ``-1`` unknown; K may be 0.
        attribute_names: K names.
        names: N image names, or empty.
        attribute_values: for each of the K attributes, what its codes 0, 1, … stand for; empty where not known.
        subject_names: what the subjects 0, 1, … are called; empty where not known.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int32]
    subject_a: NDArray[np.int64]
    subject_b: NDArray[np.int64]
    attributes: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0), np.int8))
    attribute_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    attribute_values: tuple[tuple[str, ...], ...] = ()
    subject_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.a)

    @property
    def genuine(self) -> int:
        """Number of genuine comparisons."""
        return int(self.same.sum())

    @property
    def impostor(self) -> int:
        """Number of impostor comparisons."""
        return len(self) - self.genuine
