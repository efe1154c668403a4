"""VirFace's ResNet (Li et al. 2021): torchvision's layers with a 7x7 stem at stride 1 and padding 1 and no max-pooling.

Four stages that each halve the map (112 -> 108 -> 54 -> 27 -> 14 -> 7), then a fully connected layer and BatchNorm.
Attributes bear the names of the published network (``layer1.0.conv1``, ``downsample.0``, ``feature`` ...), so that its
parameters carry over by name. BatchNorm with epsilon 1e-5; pixels as ``(x / 255 - 0.5) / 0.5``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.backbones.blocks import Normalise, batch_norm, conv, initializer, vector_norm
from fairface.backbones.fresnet import scaled
from fairface.config.schema import BackboneConfig
from fairface.mx import nn

EPSILON = 1e-5


@dataclass(frozen=True)
class VirFaceShape:
    """Units per stage, and whether they are bottlenecks (four times the channels outside)."""

    units: tuple[int, int, int, int]
    bottleneck: bool


VIRFACE_RESNETS = {
    "resnet18": VirFaceShape((2, 2, 2, 2), False),
    "resnet34": VirFaceShape((3, 4, 6, 3), False),
    "resnet50": VirFaceShape((3, 4, 6, 3), True),
    "resnet101": VirFaceShape((3, 4, 23, 3), True),
    "resnet152": VirFaceShape((3, 8, 36, 3), True),
}


class Unit(nn.HybridBlock):
    """Convolutions with BN, relu between them, plus the shortcut, then relu.

    Two 3x3 of which the first has the stride, or as ``bottleneck`` 1x1, 3x3 with the stride, 1x1.
    """

    def __init__(self, inputs: int, inside: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = inside * 4 if bottleneck else inside
        self.conv1 = conv(inputs, inside, 1 if bottleneck else 3, 1 if bottleneck else stride)
        self.bn1 = batch_norm(inside, EPSILON)
        self.relu = nn.Activation("relu")
        self.conv2 = conv(inside, inside, 3, stride if bottleneck else 1)
        self.bn2 = batch_norm(inside, EPSILON)
        self._bottleneck = bottleneck
        if bottleneck:
            self.conv3 = conv(inside, outputs, 1)
            self.bn3 = batch_norm(outputs, EPSILON)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.HybridSequential()
            self.downsample.add(conv(inputs, outputs, 1, stride), batch_norm(outputs, EPSILON))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self._bottleneck:
            y = self.bn3(self.conv3(self.relu(y)))
        return self.relu(F.elemwise_add(y, x if self.downsample is None else self.downsample(x)))


class VirFaceResNet(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``, not normalised.

    Args:
        shape: depth and kind of unit.
        config: embedding size, width, dropout (the published network has none).
        image_size: H and W.
    """

    def __init__(self, shape: VirFaceShape, config: BackboneConfig, image_size: int) -> None:
        super().__init__()
        channels = scaled(64, config.width)
        self.normalise = Normalise(127.5)
        self.conv1 = conv(3, channels, 7, pad=1)
        self.bn1 = batch_norm(channels, EPSILON)
        self.relu = nn.Activation("relu")
        size = image_size - 4
        layers = []
        for stage, units in enumerate(shape.units):
            inside = scaled(64 * 2**stage, config.width)
            layer = nn.HybridSequential()
            for unit in range(units):
                layer.add(Unit(channels, inside, 2 if unit == 0 else 1, shape.bottleneck))
                channels = inside * 4 if shape.bottleneck else inside
            layers.append(layer)
            size = -(-size // 2)
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        self.dropout = nn.Dropout(config.dropout)
        self.feature = nn.Dense(config.embedding, in_units=channels * size * size, weight_initializer=initializer())
        self.bn_feature = vector_norm(config.embedding, EPSILON)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        x = self.relu(self.bn1(self.conv1(self.normalise(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.bn_feature(self.feature(self.dropout(x)))
