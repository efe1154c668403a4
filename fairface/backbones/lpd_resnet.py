"""The ResNet of Latent Part Detection (Ding et al. 2020): bottlenecks with strides 1, 2, 2, 1 and a global max-pool.

The stem is a 7x7 convolution at stride 2 and a 3x3 max-pool at stride 2; the last stage keeps the size of its map, so
that 128 pixels end in 8x8 and 112 in 7x7. Convolutions start at N(0, sqrt(2 / (k^2 * outputs))). BatchNorm's epsilon is
1e-4 in the released code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.backbones.blocks import ImageConv, ImageNorm, batch_norm, conv, vector_norm
from fairface.backbones.fresnet import scaled
from fairface.config.schema import BackboneConfig
from fairface.mx import nn

STRIDES = (1, 2, 2, 1)
EXPANSION = 4  # a bottleneck's outputs to its inside; those of the last stage are the embedding
# Of ImageNet's pixels 0..1, red, green, blue.
MEANS = (0.486, 0.459, 0.408)
DEVIATIONS = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class LPDShape:
    """Units per stage, and the channels of the stem and of the inside of the first stage's units."""

    units: tuple[int, int, int, int]
    channels: int


class NormaliseChannels(nn.HybridBlock):
    """Pixels ``(B, 3, H, W)`` 0..255 to mean 0 and deviation 1 per channel, as over ImageNet. It has no parameters."""

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        channels = F.split(x, num_outputs=3, axis=1)
        normal = [(channels[c] - 255 * MEANS[c]) * (1 / (255 * DEVIATIONS[c])) for c in range(3)]
        return F.concat(*normal, dim=1)

    def undo(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels 0..255 of what the block made of them, both ``(n, 3, H, W)``."""
        deviations, means = (np.array(of, np.float32)[:, None, None] for of in (DEVIATIONS, MEANS))
        return (values * deviations + means) * 255


class Unit(nn.HybridBlock):
    """1x1, 3x3 with the stride, 1x1, each with BN; plus the shortcut, then relu."""

    def __init__(self, inputs: int, inside: int, outputs: int, stride: int, epsilon: float) -> None:
        super().__init__()
        self.conv1 = conv(inputs, inside, 1)
        self.bn1 = batch_norm(inside, epsilon)
        self.relu = nn.Activation("relu")
        self.conv2 = conv(inside, inside, 3, stride)
        self.bn2 = batch_norm(inside, epsilon)
        self.conv3 = conv(inside, outputs, 1)
        self.bn3 = batch_norm(outputs, epsilon)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.HybridSequential()
            self.downsample.add(conv(inputs, outputs, 1, stride), batch_norm(outputs, epsilon))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return self.relu(F.elemwise_add(y, x if self.downsample is None else self.downsample(x)))


class Trunk(nn.HybridBlock):
    """Normalised images ``(B, 3, H, W)`` to ``(B, C)``: the largest value of each channel of the last map.

    Args:
        shape: depth and channels.
        width: factor on the channels, but for C.
        outputs: C; the published net has 2048.
        epsilon: of every BatchNorm.
    """

    def __init__(self, shape: LPDShape, width: float, outputs: int, epsilon: float) -> None:
        super().__init__()
        channels = scaled(shape.channels, width)
        self.conv1 = ImageConv(channels, 7, 2)
        self.bn1 = ImageNorm(channels, epsilon)
        self.relu = nn.Activation("relu")
        self.pool = nn.MaxPool2D(3, 2, padding=1)
        self.stages = nn.HybridSequential()
        for stage, (units, stride) in enumerate(zip(shape.units, STRIDES, strict=True)):
            inside = scaled(shape.channels * 2**stage, width)
            layer = nn.HybridSequential()
            after = outputs if stage == len(STRIDES) - 1 else inside * EXPANSION
            for unit in range(units):
                layer.add(Unit(channels, inside, after, stride if unit == 0 else 1, epsilon))
                channels = after
            self.stages.add(layer)
        self.largest = nn.GlobalMaxPool2D()

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        return F.flatten(self.largest(self.stages(x)))


class LPDGlobal(nn.HybridBlock):
    """The global stream alone, ``(B, 3, H, W)`` RGB 0..255 to ``(B, C)``: the baseline that LPD is compared with."""

    def __init__(self, shape: LPDShape, config: BackboneConfig, epsilon: float) -> None:
        super().__init__()
        self.normalise = NormaliseChannels()
        self.trunk = Trunk(shape, config.width, config.embedding, epsilon)
        self.global_bn = vector_norm(config.embedding, epsilon)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.global_bn(self.trunk(self.normalise(x)))
