"""AdaFace's IR nets in PyTorch (``model.input_layer.0.weight`` …): trained on BGR images, otherwise as here."""

from __future__ import annotations

import re
from itertools import groupby

from fairface.backbones.adaface_ir import ADAFACE_IRS, AdaFaceIR, IRShape, adaface_key
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.interop.torch.family import State, image_side, shape_of
from fairface.mx import gluon

CHANNELS = {False: 64, True: 256}  # behind the first stage at width 1, without and with bottlenecks
_UNIT = re.compile(r"^body\.(\d+)\.")


class AdaFaceFamily:
    """See :class:`fairface.interop.torch.family.TorchFamily`."""

    mark = "input_layer.0.weight"
    bgr = True
    block: type[gluon.HybridBlock] = AdaFaceIR
    first = "input_layer.0"
    dense = "output_layer.3"
    last = "output_layer.4"

    def key(self, structural: str) -> str | None:
        return adaface_key(structural)

    def describe(self, state: State) -> str:
        shape = _shape(state)
        usual = (name for name, known in ADAFACE_IRS.items() if known == shape)
        name = next(usual, f"IR net of {'+'.join(map(str, shape.units))} units")
        width, embedding = _width(state), shape_of(state, "output_layer.3.weight", 2)[0]
        return f"AdaFace's {name}, width {width:g}, embedding {embedding}"

    def build(self, state: State) -> gluon.HybridBlock:
        shape = _shape(state)
        embedding = shape_of(state, "output_layer.3.weight", 2)[0]
        side = image_side(state, "output_layer.3.weight", _channels(state, _units(state) - 1))
        config = BackboneConfig(name="ir", embedding=embedding, dropout=0.0, width=_width(state))
        return AdaFaceIR(shape, config, side, "onednn")


def _width(state: State) -> float:
    return _channels(state, 0) / CHANNELS[_bottleneck(state)]


def _units(state: State) -> int:
    numbers = {int(match[1]) for key in state if (match := _UNIT.match(key))}
    if numbers != set(range(len(numbers))) or not numbers:
        raise CheckpointError("some of the units body.0, body.1 … are missing")
    return len(numbers)


def _bottleneck(state: State) -> bool:
    return shape_of(state, "body.0.res_layer.1.weight", 4)[2] == 1


def _channels(state: State, unit: int) -> int:
    """Channels behind a unit."""
    return shape_of(state, f"body.{unit}.res_layer.{7 if _bottleneck(state) else 4}.weight", 4)[0]


def _shape(state: State) -> IRShape:
    channels = [_channels(state, unit) for unit in range(_units(state))]
    stages = tuple(len(list(units)) for _, units in groupby(channels))
    if len(stages) != 4:
        raise CheckpointError(f"its units have {channels} channels; AdaFace's nets have four stages")
    return IRShape(stages, _bottleneck(state), "body.0.res_layer.se_block.fc1.weight" in state)
