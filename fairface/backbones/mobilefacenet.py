"""mobilefacenet: insightface's ``fmobilefacenet`` y1 with output 'GDC' (Chen et al. 2018, MobileFaceNets).

Layers at 112x112 (``dw`` = depthwise 3x3, every convolution without bias and followed by BN with epsilon 1e-3, and by
PReLU unless it is a projection; ``expand`` is the width inside a bottleneck: 1x1, dw, 1x1 projection):

=========  ==================  ========  ======  =======  ====
layer      operator            channels  expand  repeats  map
=========  ==================  ========  ======  =======  ====
conv_1     3x3 stride 2              64                     56
conv_2_dw  dw                        64                     56
dconv_23   bottleneck stride 2       64     128              28
res_3      bottleneck + input        64     128        4     28
dconv_34   bottleneck stride 2      128     256              14
res_4      bottleneck + input       128     256        6     14
dconv_45   bottleneck stride 2      128     512               7
res_5      bottleneck + input       128     256        2      7
conv_6sep  1x1                      512                       7
output     dw 7x7, FC, BN             D                       1
=========  ==================  ========  ======  =======  ====
"""

from __future__ import annotations

from typing import Any

from fairface.backbones.blocks import ImageConv, ImageNorm, Normalise, OutputGDC, batch_norm, conv
from fairface.backbones.fresnet import scaled
from fairface.backbones.prelu import PReLU
from fairface.config.schema import BackboneConfig
from fairface.mx import nn

EPSILON = 1e-3  # MXNet's default, which insightface's symbol leaves as it is


def conv_bn(inputs: int, outputs: int, kernel: int, form: str | None, stride: int = 1,
            groups: int = 1) -> nn.HybridSequential:  # fmt: skip
    """Convolution, BN and, unless ``form`` is None, PReLU."""
    block = nn.HybridSequential()
    block.add(conv(inputs, outputs, kernel, stride, groups=groups), batch_norm(outputs, EPSILON))
    if form is not None:
        block.add(PReLU(outputs, form))
    return block


class Bottleneck(nn.HybridBlock):
    """1x1 to ``expand`` channels, depthwise 3x3 with the stride, 1x1 projection; plus the input where ``residual``."""

    def __init__(self, inputs: int, outputs: int, expand: int, stride: int, form: str, residual: bool) -> None:
        super().__init__()
        self.sep = conv_bn(inputs, expand, 1, form)
        self.dw = conv_bn(expand, expand, 3, form, stride, groups=expand)
        self.proj = conv_bn(expand, outputs, 1, None)
        self._residual = residual

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = self.proj(self.dw(self.sep(x)))
        return F.elemwise_add(y, x) if self._residual else y


class MobileFaceNet(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``, not normalised. ``config.se`` is not known to this family."""

    def __init__(self, config: BackboneConfig, image_size: int, form: str) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scaled(c, config.width) for c in (64, 128, 256, 512))
        self.normalise = Normalise()
        self.features = nn.HybridSequential()
        stem = nn.HybridSequential()
        stem.add(ImageConv(c64, 3, stride=2), ImageNorm(c64, EPSILON), PReLU(c64, form))
        self.features.add(stem, conv_bn(c64, c64, 3, form, groups=c64))
        channels = c64
        for outputs, down, expand, repeats in ((c64, c128, c128, 4), (c128, c256, c256, 6), (c128, c512, c256, 2)):
            self.features.add(Bottleneck(channels, outputs, down, 2, form, residual=False))
            for _ in range(repeats):
                self.features.add(Bottleneck(outputs, outputs, expand, 1, form, residual=True))
            channels = outputs
        self.features.add(conv_bn(channels, c512, 1, form))
        size = image_size
        for _ in range(4):
            size = -(-size // 2)
        self.output = OutputGDC(c512, size, config.embedding, config.dropout, EPSILON)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.output(self.features(self.normalise(x)))
