"""What every head on the unit sphere shares: ``s * cosine`` between embeddings and class weights."""

from __future__ import annotations

import math
from typing import Any

from fairface.errors import ConfigError
from fairface.heads.base import Head
from fairface.mx import NDArray, nd


class CosineHead(Head):
    """Embeddings and class weights brought to unit length, times the scale ``s``.

    Raises:
        ConfigError: ``s`` is not above 0.
    """

    def __init__(self, embedding: int, classes: int, s: float) -> None:
        super().__init__(embedding, classes)
        if not 0 < s < math.inf:
            raise ConfigError(f"head.s is {s}; the scale must be above 0")
        self.s = s

    def cosines(self, F: Any, embedding: Any, weight: Any) -> Any:
        """(B, C): ``s`` times the cosine between each row and each class."""
        return F.FullyConnected(
            F.L2Normalization(embedding) * self.s, F.L2Normalization(weight), no_bias=True, num_hidden=self.classes
        )

    def own_logit(self, embedding: NDArray, label: NDArray) -> NDArray:
        rows = nd.take(self.weight.data(embedding.context), label, mode="clip")
        return (nd.L2Normalization(embedding) * nd.L2Normalization(rows)).sum(axis=1) * self.s


class ReshapingCosineHead(CosineHead):
    """A cosine head whose training logits differ from ``s * cosine`` in other columns than the own one, too.

    Whether a row is recognised cannot be read off such logits; that takes one matrix product more.
    """

    def rivals(self, embedding: NDArray, logits: NDArray) -> NDArray:
        return self.cosines(nd, embedding, self.weight.data(embedding.context))
