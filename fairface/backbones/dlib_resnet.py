"""dlib's face recognition network: a ResNet of 29 convolutions, chips of 150 x 150 pixels to 128 numbers.

Source: Davis King, dlib (2017), ``dnn_face_recognition_ex``: He et al.'s ResNet-34 (CVPR 2016) with fewer layers and
half the channels. What differs from other ResNets here:

* convolutions of stride 2 and pools have no padding;
* the shortcut of a unit of stride 2 is the mean of 2 x 2 pixels, and zeros for the channels that it lacks;
* where a sum's maps differ in size, the smaller one is filled up with zeros to the right and below;
* every affine layer is part of its convolution, and the normalisation of pixels part of the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.backbones.blocks import conv
from fairface.mx import nn

STEM_KERNEL, STEM_STRIDE = 7, 2
POOL_KERNEL, POOL_STRIDE = 3, 2
KERNEL, DOWN = 3, 2  # of every other convolution; stride of a unit that halves the map


@dataclass(frozen=True)
class Unit:
    """One residual unit: channels that it gives, and whether it halves the map."""

    channels: int
    down: bool = False


@dataclass(frozen=True)
class DlibShape:
    """Sizes of a network.

    Attributes:
        image_size: height and width of the images in pixels.
        stem: channels of the first convolution.
        units: the residual units, in order. One that does not halve the map keeps its channels, one that does keeps or
            doubles them.
        embedding: length of the embedding.
    """

    image_size: int
    stem: int
    units: tuple[Unit, ...]
    embedding: int

    def sides(self) -> tuple[int, ...]:
        """Side of the map that each unit takes, and of the last unit's; 0 or less where the image is too small."""
        side = unpadded(unpadded(self.image_size, STEM_KERNEL, STEM_STRIDE), POOL_KERNEL, POOL_STRIDE)
        sides = [side]
        for unit in self.units:
            side = unpadded(side, DOWN, DOWN) if unit.down else side
            sides.append(side)
        return tuple(sides)


def unpadded(side: int, kernel: int, stride: int) -> int:
    """Side of what a convolution or a pool without padding makes of a map."""
    return (side - kernel) // stride + 1


class ResidualUnit(nn.HybridBlock):
    """Two convolutions and a shortcut.

    Args:
        inputs, channels: channels of the maps that it takes and gives; equal, or doubled with ``down``.
        down: halve the map.
        side: side of the map that it takes.
    """

    def __init__(self, inputs: int, channels: int, down: bool, side: int) -> None:
        super().__init__()
        self.conv1 = conv(inputs, channels, KERNEL, DOWN if down else 1, 0 if down else None, bias=True)
        self.conv2 = conv(channels, channels, KERNEL, bias=True)
        self._down = down
        self._doubled = channels != inputs
        self._missing = unpadded(side, DOWN, DOWN) - unpadded(side, KERNEL, DOWN) if down else 0

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = self.conv2(F.Activation(self.conv1(x), act_type="relu"))
        if self._missing:  # 1 where the side is even
            y = F.pad(y, mode="constant", pad_width=(0, 0, 0, 0, 0, self._missing, 0, self._missing))
        if self._down:
            x = F.Pooling(x, kernel=(DOWN, DOWN), stride=(DOWN, DOWN), pool_type="avg")
        if self._doubled:
            x = F.concat(x, F.zeros_like(x), dim=1)
        return F.Activation(F.elemwise_add(y, x), act_type="relu")


class DlibResNet(nn.HybridBlock):
    """``(B, 3, S, S)`` RGB 0..255 to ``(B, D)``; to dlib, outputs less than 0.6 apart show the same person.

    The first convolution takes raw pixels: its weights hold dlib's ``(x - mean) / 256`` as well.
    """

    def __init__(self, shape: DlibShape) -> None:
        super().__init__()
        self.shape = shape
        self.conv0 = conv(3, shape.stem, STEM_KERNEL, STEM_STRIDE, 0, bias=True)
        self.units = nn.HybridSequential()
        inputs = shape.stem
        for unit, side in zip(shape.units, shape.sides(), strict=False):
            self.units.add(ResidualUnit(inputs, unit.channels, unit.down, side))
            inputs = unit.channels
        self.fc = nn.Dense(shape.embedding, use_bias=False, in_units=inputs)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        x = F.Activation(self.conv0(x), act_type="relu")
        x = F.Pooling(x, kernel=(POOL_KERNEL, POOL_KERNEL), stride=(POOL_STRIDE, POOL_STRIDE), pool_type="max")
        return self.fc(F.Pooling(self.units(x), global_pool=True, kernel=(1, 1), pool_type="avg"))
