"""The classifier without normalisation and margin: a fully connected layer without bias."""

from __future__ import annotations

from typing import Any

from fairface.heads.base import Head


class SoftmaxHead(Head):
    """``logits = embedding . weight``, what the fair-face system calls ``softmax``."""

    @property
    def uses_label(self) -> bool:
        return False

    def hybrid_forward(self, F: Any, embedding: Any, *, weight: Any) -> Any:
        return F.FullyConnected(embedding, weight, no_bias=True, num_hidden=self.classes)
