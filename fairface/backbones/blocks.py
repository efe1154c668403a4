"""What the networks of the fair-face system are made of.

Names of attributes are those of insightface's symbols (``conv1``, ``bn1``, ``relu1``, ``conv1sc``, ``sc`` …), so that
parameters carry over by name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.backbones.gate import gated, global_average
from fairface.backbones.prelu import PReLU
from fairface.mx import mx, nn
from fairface.precision import BFLOAT16, mixed_precision, plain_convolution

EPSILON = 2e-5  # of every BatchNorm of fresnet, and of the last one of every net


def initializer() -> mx.init.Initializer:
    """Gaussian with variance ``2 / fan_out``, insightface's choice for convolutions and the embedding layer."""
    return mx.init.Xavier(rnd_type="gaussian", factor_type="out", magnitude=2)


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, pad: int | None = None, groups: int = 1,
         bias: bool = False) -> nn.Conv2D:  # fmt: skip
    """A convolution with square kernel; ``pad`` keeps the size at stride 1 unless given."""
    return nn.Conv2D(
        outputs, kernel, stride, kernel // 2 if pad is None else pad, groups=groups, use_bias=bias, in_channels=inputs,
        weight_initializer=initializer(),
    )  # fmt: skip


class ImageConv(nn.Conv2D):
    """A network's first convolution, without bias. It stays float32 in a bfloat16 network, as :class:`ImageNorm` does.

    oneDNN's bfloat16 convolution of three channels gives its result in the plain layout, and BatchNorm of the largest
    map of the network takes twenty times as long in that.
    """

    def __init__(self, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            outputs, kernel, stride, kernel // 2, use_bias=False, in_channels=3, weight_initializer=initializer()
        )

    def hybrid_forward(self, F: Any, x: Any, weight: Any) -> Any:
        if mixed_precision() != "bf16":
            return super().hybrid_forward(F, x, weight)
        return plain_convolution(F)(x, weight, name="fwd", **self._kwargs)


class ImageNorm(nn.BatchNorm):
    """BatchNorm behind :class:`ImageConv`; what comes after it is bfloat16 in a bfloat16 network."""

    def __init__(self, channels: int, epsilon: float = EPSILON) -> None:
        super().__init__(momentum=0.9, epsilon=epsilon, in_channels=channels)

    def hybrid_forward(self, F: Any, x: Any, **parameters: Any) -> Any:
        y = super().hybrid_forward(F, x, **parameters)
        return F.amp_cast(y, dtype=BFLOAT16) if mixed_precision() == "bf16" else y


def batch_norm(channels: int, epsilon: float = EPSILON, scale: bool = True) -> nn.BatchNorm:
    """BatchNorm with momentum 0.9; ``scale=False`` holds gamma at 1."""
    return nn.BatchNorm(momentum=0.9, epsilon=epsilon, scale=scale, in_channels=channels)


def vector_norm(channels: int, epsilon: float = EPSILON, scale: bool = True, shift: bool = True) -> nn.BatchNorm:
    """BatchNorm of ``(B, C)``, its epsilon larger by a millionth; ``shift=False`` holds beta at 0.

    MXNet 1.9.1 dies on CPUs when inference runs a BatchNorm of ``(B, C)`` after one of maps ``(B, C, 1, 1)`` with the
    same B, C and epsilon, in whatever network: it takes the oneDNN primitive of the second for the first.
    """
    return nn.BatchNorm(momentum=0.9, epsilon=epsilon * (1 + 1e-6), scale=scale, center=shift, in_channels=channels)


class Normalise(nn.HybridBlock):
    """Pixels 0..255 to -1..1: ``(x - 127.5) / half``. In the graph, so that no caller can get it wrong.

    ``half`` is 128 in insightface's nets, 127.5 in those that take ``(x / 255 - 0.5) / 0.5``.
    """

    def __init__(self, half: float = 128.0) -> None:
        super().__init__()
        self._factor = 1.0 / half

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return (x - 127.5) * self._factor

    def undo(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels 0..255 of what the block made of them, of any shape."""
        return values / self._factor + 127.5


class SqueezeExcite(nn.HybridBlock):
    """Channels weighted by a gate of their own averages (Hu et al. 2018), reduction 16, PReLU inside.

    Args:
        channels: of the map.
        form: form of PReLU.
        size: height and width of the map, for the fast form of the gate; None for the plain one.
    """

    def __init__(self, channels: int, form: str, size: int | None = None) -> None:
        super().__init__()
        inner = max(1, channels // 16)
        self._channels, self._size = channels, size
        self.pool = global_average(size)
        self.conv1 = conv(channels, inner, 1, bias=True)
        self.relu1 = PReLU(inner, form)
        self.conv2 = conv(inner, channels, 1, bias=True)
        self.gate = nn.Activation("sigmoid")

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        gate = self.gate(self.conv2(self.relu1(self.conv1(self.pool(x)))))
        return gated(F, x, gate, self._channels, self._size)


class ResidualUnit(nn.HybridBlock):
    """insightface's ``residual_unit_v3``: BN, 3x3, BN, PReLU, 3x3 with the stride, BN, (SE), plus the shortcut.

    The shortcut is the input itself where the shape stays, else a 1x1 convolution with BN. Nothing follows the sum.
    ``size`` is that of the output map, for the fast form of SE; None for the plain one.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, form: str, se: bool = False,
                 size: int | None = None) -> None:  # fmt: skip
        super().__init__()
        self.bn1 = batch_norm(inputs)
        self.conv1 = conv(inputs, outputs, 3)
        self.bn2 = batch_norm(outputs)
        self.relu1 = PReLU(outputs, form)
        self.conv2 = conv(outputs, outputs, 3, stride)
        self.bn3 = batch_norm(outputs)
        self.se = SqueezeExcite(outputs, form, size) if se else None
        self._projects = stride != 1 or inputs != outputs
        if self._projects:
            self.conv1sc = conv(inputs, outputs, 1, stride)
            self.sc = batch_norm(outputs)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = self.bn3(self.conv2(self.relu1(self.bn2(self.conv1(self.bn1(x))))))
        if self.se is not None:
            y = self.se(y)
        return F.elemwise_add(y, self.sc(self.conv1sc(x)) if self._projects else x)


class OutputE(nn.HybridBlock):
    """Feature map to embedding, insightface's output 'E': BN, dropout, fully connected, BN with gamma held at 1.

    Args:
        channels: channels of the map.
        size: its height and width.
        embedding: D.
        dropout: share of the map's values that is dropped in training.
    """

    def __init__(self, channels: int, size: int, embedding: int, dropout: float) -> None:
        super().__init__()
        self.bn1 = batch_norm(channels)
        self.dropout = nn.Dropout(dropout)
        self.pre_fc1 = nn.Dense(embedding, in_units=channels * size * size, weight_initializer=initializer())
        self.fc1 = vector_norm(embedding, scale=False)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.fc1(self.pre_fc1(self.dropout(self.bn1(x))))


class OutputGDC(nn.HybridBlock):
    """Feature map to embedding, insightface's output 'GDC': depthwise convolution over the whole map, BN, fully
    connected, BN with gamma held at 1 (Chen et al. 2018, MobileFaceNets)."""

    def __init__(self, channels: int, size: int, embedding: int, dropout: float, epsilon: float = EPSILON) -> None:
        super().__init__()
        self.conv_6dw = conv(channels, channels, size, pad=0, groups=channels)
        self.bn_6dw = batch_norm(channels, epsilon)
        self.dropout = nn.Dropout(dropout)
        self.pre_fc1 = nn.Dense(embedding, in_units=channels, weight_initializer=initializer())
        self.fc1 = vector_norm(embedding, scale=False)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.fc1(self.pre_fc1(self.dropout(self.bn_6dw(self.conv_6dw(x)))))
