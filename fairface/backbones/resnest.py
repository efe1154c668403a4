"""ResNeSt of the fair-face system (Zhang et al. 2020): r50sa, r101sa, r200sa, r269sa.

Bottlenecks with split attention (``2s1x64d``: radix 2, one cardinal group, width 64); where the map is halved, the
3x3 convolution keeps stride 1 and is followed by average pooling (``avd``), and the shortcut is average pooling and a
1x1 convolution (``avg_down``). DropBlock with probability 0.1 in the last two stages. The stem is one 3x3 convolution
at full size without max-pooling, and every stage halves the map (112 -> 56 -> 28 -> 14 -> 7).

The published system flattens the map before output 'E', which gives its first BatchNorm a mean and variance for every
place of every channel; here that layer works per channel, as it does in fresnet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.backbones.blocks import EPSILON, Normalise, batch_norm, conv
from fairface.backbones.dropblock import DropBlock
from fairface.backbones.fresnet import scaled
from fairface.backbones.gate import map_size
from fairface.backbones.outputs import build_output
from fairface.backbones.split_attention import SplitAttention
from fairface.config.schema import BackboneConfig
from fairface.mx import nn

EXPANSION = 4
DROP_BLOCK = (0.0, 0.0, 0.1, 0.1)  # probability in each stage


@dataclass(frozen=True)
class ResNeStShape:
    """Bottlenecks per stage, and the dropout before the embedding layer that the published system uses."""

    units: tuple[int, int, int, int]
    dropout: float


RESNESTS = {
    "r50sa": ResNeStShape((3, 4, 6, 3), 0.0),
    "r101sa": ResNeStShape((3, 4, 23, 3), 0.0),
    "r200sa": ResNeStShape((3, 24, 36, 3), 0.2),
    "r269sa": ResNeStShape((3, 30, 48, 8), 0.2),
}


class Bottleneck(nn.HybridBlock):
    """1x1, split attention 3x3, (average pooling), 1x1 to four times the channels; plus the shortcut, then relu.

    Args:
        inputs: channels of the input.
        channels: channels inside; the output has four times as many.
        stride: 1 or 2.
        size: height and width of the input.
        drop: DropBlock's probability; 0 leaves it out.
        form: of the gates, ``onednn`` or ``native``.
    """

    def __init__(self, inputs: int, channels: int, stride: int, size: int, drop: float, form: str) -> None:
        super().__init__()
        outputs = channels * EXPANSION
        smaller = -(-size // stride)
        self.conv1 = conv(inputs, channels, 1)
        self.bn1 = batch_norm(channels)
        self.relu1 = nn.Activation("relu")
        self.conv2 = SplitAttention(channels, channels, map_size(size, form))
        self.avd = nn.AvgPool2D(3, stride, padding=1) if stride > 1 else None
        self.conv3 = conv(channels, outputs, 1)
        # Starts at 0, so that every unit starts as its shortcut.
        self.bn3 = nn.BatchNorm(momentum=0.9, epsilon=EPSILON, gamma_initializer="zeros", in_channels=outputs)
        self.relu3 = nn.Activation("relu")
        self._dropblocks = [DropBlock(drop, side) for side in (size, size, smaller)] if drop else []
        for number, block in enumerate(self._dropblocks, 1):
            self.register_child(block, f"dropblock{number}")
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.HybridSequential()
            odd = size % stride != 0  # then the last window is cut off, and its average is that of what is left
            pool = nn.AvgPool2D(stride, stride, ceil_mode=odd, count_include_pad=not odd)
            self.downsample.add(pool, conv(inputs, outputs, 1), batch_norm(outputs))

    def _drop(self, number: int, x: Any) -> Any:
        return self._dropblocks[number](x) if self._dropblocks else x

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = self.relu1(self._drop(0, self.bn1(self.conv1(x))))
        y = self._drop(1, self.conv2(y))
        if self.avd is not None:
            y = self.avd(y)
        y = self._drop(2, self.bn3(self.conv3(y)))
        return self.relu3(F.elemwise_add(y, x if self.downsample is None else self.downsample(x)))


class ResNeSt(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``, not normalised.

    Args:
        shape: depth.
        config: embedding size, dropout, width, output.
        image_size: H and W.
        form: of the gates, ``onednn`` or ``native``.
    """

    def __init__(self, shape: ResNeStShape, config: BackboneConfig, image_size: int, form: str) -> None:
        super().__init__()
        channels = scaled(64, config.width)
        self.normalise = Normalise()
        self.conv1 = conv(3, channels, 3)
        self.bn1 = batch_norm(channels)
        self.relu = nn.Activation("relu")
        self.stages = nn.HybridSequential()
        size = image_size
        for stage, (units, drop) in enumerate(zip(shape.units, DROP_BLOCK, strict=True)):
            inside = scaled(64 * 2**stage, config.width)
            layers = nn.HybridSequential()
            for unit in range(units):
                stride = 2 if unit == 0 else 1
                layers.add(Bottleneck(channels, inside, stride, size, drop, form))
                channels, size = inside * EXPANSION, -(-size // stride)
            self.stages.add(layers)
        self.output = build_output(config.output or "E", channels, size, config.embedding, config.dropout)

    def features(self, x: Any) -> Any:
        """The map that the output layers take."""
        return self.stages(self.relu(self.bn1(self.conv1(self.normalise(x)))))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.output(self.features(x))
