"""Cosine to angle with a bounded slope."""

from __future__ import annotations

from typing import Any

LARGEST_COSINE = 1.0 - 1e-6  # the slope of arccos grows without bound towards cosine +-1


def angle(F: Any, cosine: Any) -> Any:
    """The angle in radians, element by element; cosines beyond ``+-(1 - 1e-6)`` are held there, without gradient."""
    return F.arccos(F.clip(cosine, -LARGEST_COSINE, LARGEST_COSINE))
