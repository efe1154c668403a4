"""AdaFace's IR networks (Kim, Jain and Liu 2022; the residual units are those of Deng et al. 2019, ArcFace).

They differ from fresnet in four ways: where the channels stay, a unit that halves the map has a shortcut without
parameters (every second row and column); squeeze-and-excitation without biases and with relu; no gamma and beta in the
last BatchNorm; and bottlenecks in the nets of 152 and 200 layers. BatchNorm with epsilon 1e-5; pixels as
``(x / 255 - 0.5) / 0.5``. Attributes follow the published network's modules, so that :func:`adaface_key` maps names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairface.backbones.blocks import Normalise, batch_norm, conv, initializer, vector_norm
from fairface.backbones.fresnet import scaled
from fairface.backbones.gate import gated, global_average, map_size
from fairface.backbones.prelu import PReLU
from fairface.config.schema import BackboneConfig
from fairface.mx import nn

EPSILON = 1e-5


@dataclass(frozen=True)
class IRShape:
    """Units per stage; whether they are bottlenecks (four times the channels outside) and have SE."""

    units: tuple[int, int, int, int]
    bottleneck: bool = False
    se: bool = False


_UNITS = {
    "18": ((2, 2, 2, 2), False),
    "34": ((3, 4, 6, 3), False),
    "50": ((3, 4, 14, 3), False),
    "101": ((3, 13, 30, 3), False),
    "152": ((3, 8, 36, 3), True),
    "200": ((3, 24, 36, 3), True),
}
ADAFACE_IRS = {
    f"{'ir_se' if se else 'ir'}_{depth}": IRShape(units, bottleneck, se)
    for se in (False, True)
    for depth, (units, bottleneck) in _UNITS.items()
}


class SEModule(nn.HybridBlock):
    """Channels weighted by a gate of their own averages, reduction 16, relu inside, no biases.

    Args:
        channels: of the map.
        size: its height and width, for the fast form of the gate; None for the plain one.
    """

    def __init__(self, channels: int, size: int | None = None) -> None:
        super().__init__()
        inner = max(1, channels // 16)
        self._channels, self._size = channels, size
        self.avg_pool = global_average(size)
        self.fc1 = conv(channels, inner, 1)
        self.relu = nn.Activation("relu")
        self.fc2 = conv(inner, channels, 1)
        self.sigmoid = nn.Activation("sigmoid")

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        gate = self.sigmoid(self.fc2(self.relu(self.fc1(self.avg_pool(x)))))
        return gated(F, x, gate, self._channels, self._size)


def residual(inputs: int, inside: int, outputs: int, stride: int, form: str) -> list[nn.HybridBlock]:
    """BN, 3x3 to ``inside`` channels, BN, PReLU, 3x3 with the stride, BN."""
    return [
        batch_norm(inputs, EPSILON), conv(inputs, inside, 3), batch_norm(inside, EPSILON), PReLU(inside, form),
        conv(inside, outputs, 3, stride), batch_norm(outputs, EPSILON),
    ]  # fmt: skip


def _bottleneck(inputs: int, outputs: int, stride: int, form: str) -> list[nn.HybridBlock]:
    """BN, 1x1 to a quarter of the channels, 3x3, 1x1 with the stride; BN and PReLU between, BN at the end."""
    inside = outputs // 4
    return [
        batch_norm(inputs, EPSILON), conv(inputs, inside, 1), batch_norm(inside, EPSILON), PReLU(inside, form),
        conv(inside, inside, 3), batch_norm(inside, EPSILON), PReLU(inside, form),
        conv(inside, outputs, 1, stride), batch_norm(outputs, EPSILON),
    ]  # fmt: skip


class IRUnit(nn.HybridBlock):
    """One unit: ``res_layer`` plus shortcut; nothing follows the sum.

    The shortcut is a 1x1 convolution with BN where the channels change, else the input at every ``stride``-th place.

    Args:
        inputs, outputs: channels.
        stride: of the unit's last convolution and its shortcut.
        form: form of PReLU.
        bottleneck: 1x1, 3x3, 1x1 with a quarter of the channels inside.
        se: what follows the last BN, an :class:`SEModule` or None.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, form: str, bottleneck: bool = False,
                 se: SEModule | None = None) -> None:  # fmt: skip
        super().__init__()
        self.shortcut_layer = nn.HybridSequential()
        if inputs != outputs:
            self.shortcut_layer.add(conv(inputs, outputs, 1, stride), batch_norm(outputs, EPSILON))
        elif stride != 1:
            # An average over one place equals the published max-pooling and keeps no index array for the way back.
            self.shortcut_layer.add(nn.AvgPool2D(1, stride))
        self.res_layer = nn.HybridSequential()
        self.res_layer.add(
            *(_bottleneck(inputs, outputs, stride, form) if bottleneck
              else residual(inputs, outputs, outputs, stride, form))
        )  # fmt: skip
        if se is not None:
            self.res_layer.register_child(se, "se_block")

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return F.elemwise_add(self.res_layer(x), self.shortcut_layer(x))


class AdaFaceIR(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``, not normalised (the published network gives direction and norm).

    Args:
        shape: depth and kind of unit.
        config: embedding size, dropout, width, SE.
        image_size: H and W.
        form: form of PReLU, ``onednn`` or ``native``.
    """

    def __init__(self, shape: IRShape, config: BackboneConfig, image_size: int, form: str) -> None:
        super().__init__()
        channels = scaled(64, config.width)
        self.normalise = Normalise(127.5)
        self.input_layer = nn.HybridSequential()
        self.input_layer.add(conv(3, channels, 3), batch_norm(channels, EPSILON), PReLU(channels, form))
        self.body = nn.HybridSequential()
        size = image_size
        for stage, units in enumerate(shape.units):
            outputs = scaled((256 if shape.bottleneck else 64) * 2**stage, config.width)
            size = -(-size // 2)
            for unit in range(units):
                se = SEModule(outputs, map_size(size, form)) if shape.se or config.se else None
                self.body.add(IRUnit(channels, outputs, 2 if unit == 0 else 1, form, shape.bottleneck, se))
                channels = outputs
        self.output_layer = nn.HybridSequential()
        self.output_layer.add(
            batch_norm(channels, EPSILON),
            nn.Dropout(config.dropout),
            nn.Flatten(),
            nn.Dense(config.embedding, in_units=channels * size * size, weight_initializer=initializer()),
            vector_norm(config.embedding, EPSILON, scale=False, shift=False),
        )

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.output_layer(self.body(self.input_layer(self.normalise(x))))


def adaface_key(structural: str) -> str | None:
    """Our structural name as the key in AdaFace's ``state_dict`` (without the prefix ``model.``).

    ``body.0.res_layer.0.gamma`` becomes ``body.0.res_layer.0.weight``. None for the last BatchNorm's gamma and beta,
    which MXNet holds at 1 and 0 and PyTorch does not have.
    """
    if structural in ("output_layer.4.gamma", "output_layer.4.beta"):
        return None
    layer, _, kind = structural.rpartition(".")
    return f"{layer}.{ {'gamma': 'weight', 'beta': 'bias'}.get(kind, kind) }"
