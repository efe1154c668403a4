"""arcface_torch's iresnet (``conv1.weight``, ``layer1.0.bn1.weight`` …): fresnet under other names, RGB as here.

Its BatchNorms have epsilon 1e-5 where fresnet's have 2e-5, and its images are ``(x / 255 - 0.5) / 0.5`` where fresnet's
are ``(x - 127.5) / 128``.
"""

from __future__ import annotations

import re

from fairface.backbones.fresnet import FRESNETS, FResNet, FResNetShape
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.interop.torch.family import State, image_side, shape_of, torch_kind
from fairface.mx import gluon

_OURS = re.compile(r"^stages\.(\d+)\.(\d+)\.(\w+)\.")
_UNIT = re.compile(r"^layer([1-4])\.(\d+)\.")
_IN_UNIT = {"relu1": "prelu", "conv1sc": "downsample.0", "sc": "downsample.1"}
_OUTSIDE = {
    "conv0": "conv1", "bn0": "bn1", "relu0": "prelu", "output.bn1": "bn2", "output.pre_fc1": "fc",
    "output.fc1": "features",
}  # fmt: skip


class ArcFaceTorchFamily:
    """See :class:`fairface.interop.torch.family.TorchFamily`."""

    mark = "layer1.0.prelu.weight"
    bgr = False
    block: type[gluon.HybridBlock] = FResNet
    first = "conv0"
    dense = "output.pre_fc1"
    last = "output.fc1"

    def key(self, structural: str) -> str | None:
        layer, _, kind = structural.rpartition(".")
        if layer in _OUTSIDE:
            return torch_kind(f"{_OUTSIDE[layer]}.{kind}")
        return torch_kind(_OURS.sub(_in_unit, structural))

    def describe(self, state: State) -> str:
        shape = _shape(state)
        usual = next((name for name, known in FRESNETS.items() if known.units == shape.units), None)
        width, embedding = shape.channels[0] / 64, shape_of(state, "fc.weight", 2)[0]
        known = f"iresnet, {usual} here" if usual else f"iresnet of {'+'.join(map(str, shape.units))} units"
        return f"arcface_torch's {known}, width {width:g}, embedding {embedding}"

    def build(self, state: State) -> gluon.HybridBlock:
        shape = _shape(state)
        embedding = shape_of(state, "fc.weight", 2)[0]
        config = BackboneConfig(name="iresnet", embedding=embedding, dropout=0.0)
        return FResNet(shape, config, image_side(state, "fc.weight", shape.channels[-1]), "onednn")


def _in_unit(match: re.Match[str]) -> str:
    return f"layer{int(match[1]) + 1}.{match[2]}.{_IN_UNIT.get(match[3], match[3])}."


def _shape(state: State) -> FResNetShape:
    units: dict[int, set[int]] = {stage: set() for stage in range(1, 5)}
    for key in state:
        if match := _UNIT.match(key):
            units[int(match[1])].add(int(match[2]))
    for stage, numbers in units.items():
        if numbers != set(range(len(numbers))) or not numbers:
            raise CheckpointError(f"some of the units layer{stage}.0, layer{stage}.1 … are missing")
    stem = shape_of(state, "conv1.weight", 4)[0]
    first, second, third, fourth = (shape_of(state, f"layer{i}.0.conv2.weight", 4)[0] for i in units)
    a, b, c, d = (len(numbers) for numbers in units.values())
    return FResNetShape((a, b, c, d), (stem, first, second, third, fourth))
