"""Split attention, the convolution of ResNeSt (Zhang et al. 2020, section 3.1): radix 2, one cardinal group."""

from __future__ import annotations

from typing import Any

from fairface.backbones.blocks import EPSILON, batch_norm, conv
from fairface.backbones.gate import gated, global_average
from fairface.mx import nn

RADIX = 2


class SplitAttention(nn.HybridBlock):
    """``(B, inputs, H, W)`` to ``(B, channels, H, W)``, after relu: two grouped 3x3 convolutions, mixed per channel.

    Each half of the channels goes through its own convolution; the averages of the two results' sum pass a bottleneck
    and give, by a softmax over the two, the weights with which the results are added.

    Args:
        inputs, channels: of the input and of each of the two results.
        size: height and width of the map, for the fast form of the gate; None for the plain one.
        epsilon: of both BatchNorms.
    """

    def __init__(self, inputs: int, channels: int, size: int | None, epsilon: float = EPSILON) -> None:
        super().__init__()
        inner = max(inputs * RADIX // 4, 32)
        self._channels, self._size = channels, size
        self.conv = conv(inputs, channels * RADIX, 3, groups=RADIX)
        self.bn = batch_norm(channels * RADIX, epsilon)
        self.relu = nn.Activation("relu")
        self.pool = global_average(size)
        self.fc1 = conv(channels, inner, 1, bias=True)
        self.bn1 = batch_norm(inner, epsilon)
        self.relu1 = nn.Activation("relu")
        self.fc2 = conv(inner, channels * RADIX, 1, bias=True)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        x = self.relu(self.bn(self.conv(x)))
        # The average of the sum is the sum of the averages: pooled first, the large maps are read once.
        first, second = F.split(self.pool(x), num_outputs=RADIX, axis=1)
        logits = self.fc2(self.relu1(self.bn1(self.fc1(F.elemwise_add(first, second)))))
        first, second = F.split(logits, num_outputs=RADIX, axis=1)
        weight = F.sigmoid(F.elemwise_sub(first, second))  # softmax over two; the other weight is one minus this
        first, second = F.split(x, num_outputs=RADIX, axis=1)
        difference = F.elemwise_sub(first, second)
        return F.elemwise_add(second, gated(F, difference, weight, self._channels, self._size))
