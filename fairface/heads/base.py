"""What every head shares: class weights, and whether a row is recognised when the margin is left aside."""

from __future__ import annotations

from typing import Any

from fairface.heads.statistics import Statistic
from fairface.mx import NDArray, autograd, gluon, mx, nd


class Head(gluon.HybridBlock):
    """``(embedding (B, D), label (B,)) -> logits (B, C)``; normalises inside; rows with label -1 get no margin.

    A head has no state beside its parameters: statistics over the whole batch are handed to it as further arguments,
    one ``(1,)`` array for each name of :attr:`statistic`.

    Args:
        embedding: D.
        classes: C.

    Attributes:
        weight: ``(C, D)``, one row per class; starts as a Gaussian with deviation 0.01, as insightface's.
        statistic: what the head's further arguments are; None = it has none.
    """

    statistic: Statistic | None = None

    def __init__(self, embedding: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self._dtype = "float32"
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(classes, embedding), init=mx.init.Normal(0.01))

    @property
    def uses_label(self) -> bool:
        """Whether the logits depend on the label; without, the graph has one input."""
        return True

    def forward(self, embedding: Any, label: Any, *statistics: Any) -> Any:
        """See the class."""
        return super().forward(embedding, label, *statistics) if self.uses_label else super().forward(embedding)

    def cast(self, dtype: str) -> None:
        """Compute in ``dtype``."""
        super().cast(dtype)
        self._dtype = dtype

    def add_at_label(self, F: Any, logits: Any, label: Any, difference: Any) -> Any:
        """``logits (B, C)`` with ``difference (B, 1)`` added in each row's own column; rows with label -1 stay."""
        own = F.one_hot(label, depth=self.classes, dtype=self._dtype)
        return F.elemwise_add(logits, F.broadcast_mul(own, difference))

    def own_logit(self, embedding: NDArray, label: NDArray) -> NDArray:
        """(B,): each row's logit of its own class without margin. Costs B rows of ``weight``, not all C."""
        rows = nd.take(self.weight.data(embedding.context), label, mode="clip")
        return (embedding * rows).sum(axis=1)

    def rivals(self, embedding: NDArray, logits: NDArray) -> NDArray:
        """(B, C) logits whose other columns stand as they are without margin; the own column may hold anything.

        ``logits`` are those of the training step: a margin changes the own column only, so the others are read there.
        """
        return logits

    def hits(self, embedding: NDArray, logits: NDArray, label: NDArray) -> NDArray:
        """(B,) float, 1 where the own class scores highest of all without margin (0 for rows with label -1).

        ``logits`` are those of the training step.
        """
        with autograd.pause():
            own = nd.one_hot(label, self.classes, dtype=logits.dtype)
            rival = (self.rivals(embedding, logits) - own * 1e9).max(axis=1)
            labeled = label.astype(logits.dtype) >= 0
            return (self.own_logit(embedding, label) > rival) * labeled
