"""One part of a search: gallery, probes, queries, unknown or distractors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.data.encoded import FileDataset
from fairface.protocols.identification import Listed


@dataclass(frozen=True)
class Part:
    """Images of one part: their names, and their embeddings (N, D), a data set to be embedded, or neither."""

    source: str
    names: tuple[str, ...]
    images: FileDataset | None
    embeddings: NDArray[np.floating] | None
    notes: tuple[str, ...] = ()

    @property
    def listed(self) -> Listed:
        """What the protocol needs of it."""
        return Listed(self.source, self.names)
