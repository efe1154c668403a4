"""fresnet: insightface's LResNet-E-IR, the residual network of the fair-face system (Deng et al. 2019, section 3.1).

``Normalise``, a stem (3x3 convolution, BN, PReLU), four stages of residual units of which each first one halves the map
(112 -> 56 -> 28 -> 14 -> 7), and the output 'E' unless the configuration names another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.backbones.blocks import ImageConv, ImageNorm, Normalise, ResidualUnit
from fairface.backbones.gate import map_size
from fairface.backbones.outputs import build_output
from fairface.backbones.prelu import PReLU
from fairface.config.schema import BackboneConfig
from fairface.mx import nn


@dataclass(frozen=True)
class FResNetShape:
    """Units per stage; channels of the stem and of each stage; stride of the stem."""

    units: tuple[int, int, int, int]
    channels: tuple[int, int, int, int, int] = (64, 64, 128, 256, 512)
    stem_stride: int = 1


FRESNETS = {
    "fresnet18": FResNetShape((2, 2, 2, 2)),
    "fresnet34": FResNetShape((3, 4, 6, 3)),
    "fresnet50": FResNetShape((3, 4, 14, 3)),
    "fresnet100": FResNetShape((3, 13, 30, 3)),
    "fresnet152": FResNetShape((3, 8, 36, 3)),
    "fresnet200": FResNetShape((3, 24, 36, 3)),
    "fresnet_tiny": FResNetShape((1, 2, 2, 1), (32, 32, 64, 128, 256), stem_stride=2),
}


def scaled(channels: int, width: float) -> int:
    """``channels * width``, rounded to a multiple of 8 (at least 8): what the blocked layouts like."""
    return channels if width == 1.0 else max(8, round(channels * width / 8) * 8)


class FResNet(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``, not normalised.

    Args:
        shape: depth and channels.
        config: embedding size, dropout, width, SE, output.
        image_size: H and W.
        form: form of PReLU, ``onednn`` or ``native``.
    """

    def __init__(self, shape: FResNetShape, config: BackboneConfig, image_size: int, form: str) -> None:
        super().__init__()
        channels, *stages = (scaled(c, config.width) for c in shape.channels)
        self.normalise = Normalise()
        self.conv0 = ImageConv(channels, 3, shape.stem_stride)
        self.bn0 = ImageNorm(channels)
        self.relu0 = PReLU(channels, form)
        size = -(-image_size // shape.stem_stride)
        self.stages = nn.HybridSequential()
        for units, outputs in zip(shape.units, stages, strict=True):
            stage = nn.HybridSequential()
            size = -(-size // 2)
            for unit in range(units):
                stride = 2 if unit == 0 else 1
                stage.add(ResidualUnit(channels, outputs, stride, form, config.se, map_size(size, form)))
                channels = outputs
            self.stages.add(stage)
        self.output = build_output(config.output or "E", channels, size, config.embedding, config.dropout)

    def features(self, x: Any) -> Any:
        """The map that the output layers take."""
        return self.stages(self.relu0(self.bn0(self.conv0(self.normalise(x)))))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.output(self.features(x))
