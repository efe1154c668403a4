"""The engines of an evaluation, handed in by who asks for it: nothing here knows which framework runs a net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fairface.data.types import Dataset
from fairface.faces.detect import FaceDetector


class Embedder(Protocol):
    """A net with its weights."""

    def embed(self, images: Dataset, /) -> NDArray[np.float32]:
        """Embeddings (N, D) float32, not normalised, each the sum of an image's and its mirrored image's."""


@dataclass(frozen=True)
class Engines:
    """How models become functions; each is called when its turn comes, so only one is in memory.

    Attributes:
        embedder: from a model's name (grammar: :mod:`fairface.checkpoints`) to its embedder.
        detector: from a detector's name, ``prefix,epoch``, to the detector.
    """

    embedder: Callable[[str], Embedder]
    detector: Callable[[str], FaceDetector]
