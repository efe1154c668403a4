"""Output 'ECCV': an embedding corrected by four branches, weighted by what the face's group seems to be.

The optional output of the fair-face challenge system (ECCV 2020, ChaLearn Looking at People). A base embedding ``e`` as
in output 'E'; a linear classifier of ``e`` says how likely each of four groups is (``p``: two binary attributes, group
``2 * first + second``); four more embeddings ``b_k`` of the same map; the result is ``e + mean_k(p_k * b_k)``, in which
no gradient flows through ``p``. The classifier learns from a loss of its own, and that loss reaches the body through
``e``: :meth:`OutputECCV.outputs` gives both.
"""

from __future__ import annotations

from typing import Any

from fairface.backbones.blocks import OutputE, initializer, vector_norm
from fairface.mx import gluon, nn

GROUPS = 4  # combinations of two binary attributes


class OutputECCV(OutputE):
    """Feature map to fused embedding; layers bear the system's names (``pre_fc1`` .. ``fc5``, ``class_branch_fc``).

    Args:
        channels: channels of the map.
        size: its height and width.
        embedding: D.
        dropout: share of the map's values that is dropped in training.
    """

    def __init__(self, channels: int, size: int, embedding: int, dropout: float) -> None:
        super().__init__(channels, size, embedding, dropout)
        inputs = channels * size * size
        self.class_branch_fc = nn.Dense(GROUPS, in_units=embedding, weight_initializer=initializer())
        self._branches: list[tuple[gluon.HybridBlock, gluon.HybridBlock]] = []
        for branch in range(2, GROUPS + 2):
            dense = nn.Dense(embedding, in_units=inputs, weight_initializer=initializer())
            norm = vector_norm(embedding, scale=False)
            self.register_child(dense, f"pre_fc{branch}")
            self.register_child(norm, f"fc{branch}")
            self._branches.append((dense, norm))

    def outputs(self, F: Any, x: Any) -> tuple[Any, Any]:
        """The fused embedding ``(B, D)`` and the groups' probabilities ``(B, 4)``; ``F`` as in ``hybrid_forward``."""
        body = self.dropout(self.bn1(x))
        base = self.fc1(self.pre_fc1(body))
        logits = self.class_branch_fc(base)
        # Blocked before the softmax: MXNet 1.9.1 dies in a plain backward pass over a softmax blocked after it.
        weights = F.softmax(F.BlockGrad(logits), axis=1) * (1.0 / GROUPS)
        fused = base
        for group, (dense, norm) in enumerate(self._branches):
            weight = F.slice_axis(weights, axis=1, begin=group, end=group + 1)
            fused = F.elemwise_add(fused, F.broadcast_mul(norm(dense(body)), weight))
        return fused, F.softmax(logits, axis=1)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.outputs(F, x)[0]
