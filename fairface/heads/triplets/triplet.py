"""FaceNet's triplet loss (Schroff et al. 2015, equation 3) on squared distances or on angles."""

from __future__ import annotations

from typing import Any

from fairface.heads.triplets.base import TripletLoss


class Triplet(TripletLoss):
    """Mean of ``max(0, d(a, p) - d(a, n) + alpha)`` with squared distances of unit vectors, 0..4."""

    widest = 4.0

    def distance(self, F: Any, cosine: Any) -> Any:
        return 2.0 - 2.0 * cosine


class AngularTriplet(TripletLoss):
    """The same with angles in radians; ``alpha`` too."""
