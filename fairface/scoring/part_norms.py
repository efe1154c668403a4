"""Lengths of the parts of embeddings: which part of a face a region-split net believes.

UFace's diagnostic (Huang 2023): a masked face should have a short lower part, any other face parts of one length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.config.regions import LOWER, UPPER
from fairface.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PartLengths:
    """Lengths by image of one set of embeddings.

    Attributes:
        parts: region to lengths ``(N,)``.
        ratio: ``(N,)`` lower / upper length of each image; infinite where the upper part is nothing.
        share: ``(N,)`` lower / (upper + lower) length of each image; NaN where both are nothing.
    """

    parts: Mapping[str, Floats]
    ratio: Floats
    share: Floats

    def summary(self) -> dict[str, float]:
        """Means of the lengths and the two ratios of these means, as UFace's loss takes them; JSON-ready."""
        means = {region: float(lengths.mean()) for region, lengths in self.parts.items()}
        upper, lower = means[UPPER], means[LOWER]
        return {
            **means, "ratio": lower / upper if upper else float("inf"),
            "share": lower / (upper + lower) if upper + lower else float("nan"),
        }  # fmt: skip


def part_lengths(embeddings: NDArray[np.floating], regions: Mapping[str, slice]) -> PartLengths:
    """Lengths of each region of embeddings ``(N, D)``, which must not be normalised.

    Example:
        >>> import numpy as np
        >>> found = part_lengths(np.array([[3.0, 4.0, 6.0, 8.0]]), {"upper": slice(0, 2), "lower": slice(2, 4)})
        >>> found.parts["upper"].tolist(), found.ratio.tolist()
        ([5.0], [2.0])

    Raises:
        DataError: no embeddings, values that are not finite, or regions that do not fill D values.
    """
    if embeddings.ndim != 2 or not len(embeddings):
        raise DataError(f"embeddings have the shape {embeddings.shape}; they must be (N, D) with at least one image")
    size = sum(part.stop - part.start for part in regions.values())
    if size != embeddings.shape[1]:
        raise DataError(
            f"embeddings have {embeddings.shape[1]} values, the regions {', '.join(regions)} {size} together; name the "
            "sizes that this model has"
        )
    if not np.isfinite(embeddings).all():
        row = int(np.flatnonzero(~np.isfinite(embeddings).all(axis=1))[0])
        raise DataError(f"embedding {row} has values that are not finite; embed the image again")
    values = embeddings.astype(np.float64)
    parts = {region: np.linalg.norm(values[:, part], axis=1) for region, part in regions.items()}
    upper, lower = parts[UPPER], parts[LOWER]
    with np.errstate(divide="ignore", invalid="ignore"):
        return PartLengths(parts, lower / upper, lower / (upper + lower))
