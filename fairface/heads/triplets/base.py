"""What every triplet loss shares."""

from __future__ import annotations

import math
from typing import Any

from fairface.errors import ConfigError
from fairface.heads.angle import angle
from fairface.mx import gluon


class TripletLoss(gluon.HybridBlock):
    """``(anchor (T, D), positive (T, D), negative (T, D), valid (T,)) -> loss (1,)``.

    Embeddings are brought to unit length inside. Rows where ``valid`` is 0 count for nothing, and a batch without a
    valid row has loss 0 and gradient 0.

    Args:
        alpha: width of the semi-hard band, in units of :meth:`distance`.

    Raises:
        ConfigError: ``alpha`` is not above 0 or wider than the largest distance.
    """

    widest = math.pi

    def __init__(self, alpha: float) -> None:
        super().__init__()
        if not 0 < alpha <= self.widest:
            raise ConfigError(f"triplet.alpha is {alpha}; it must lie above 0 and not above {self.widest:.4g}")
        self.alpha = alpha

    def distance(self, F: Any, cosine: Any) -> Any:
        """The distance that triplets are mined by, from the cosine; element by element."""
        return angle(F, cosine)

    def hybrid_forward(self, F: Any, anchor: Any, positive: Any, negative: Any, valid: Any) -> Any:
        anchor = F.L2Normalization(anchor)
        positive = F.sum(anchor * F.L2Normalization(positive), axis=1)
        negative = F.sum(anchor * F.L2Normalization(negative), axis=1)
        return self.reduce(F, positive, negative, valid)

    def reduce(self, F: Any, positive: Any, negative: Any, valid: Any) -> Any:
        """(1,): the loss from the cosines of positive and negative pairs, each (T,); here the mean of a hinge."""
        rows = F.relu(self.excess(F, positive, negative)) * valid
        return F.broadcast_div(F.sum(rows), F.maximum(F.sum(valid), 1.0))

    def excess(self, F: Any, positive: Any, negative: Any) -> Any:
        """(T,): what a triplet costs where above 0."""
        return self.distance(F, positive) - self.distance(F, negative) + self.alpha
