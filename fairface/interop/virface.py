"""VirFace's ResNets as its program saves them (``bn_feature.weight``, ``layer1.0.conv1.weight`` …): our names, RGB.

A file holds ``backbone``, ``head`` and, after some stages, ``generator``, each a state dict of its own.
"""

from __future__ import annotations

import re

from fairface.backbones.virface_resnet import VIRFACE_RESNETS, VirFaceResNet, VirFaceShape
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.interop.torch.family import State, image_side, shape_of, torch_kind
from fairface.mx import gluon

_UNIT = re.compile(r"^layer([1-4])\.(\d+)\.")
_WIDTH, _WIDER = 64, 4  # channels of the first stage; a bottleneck's outputs to its inside


class VirFaceFamily:
    """See :class:`fairface.interop.torch.family.TorchFamily`."""

    mark = "bn_feature.weight"
    bgr = False
    block: type[gluon.HybridBlock] = VirFaceResNet
    first = "conv1"
    dense = "feature"
    last = ""  # its gamma is learnt, here and there

    def key(self, structural: str) -> str | None:
        return torch_kind(structural)

    def describe(self, state: State) -> str:
        shape, width = _shape(state)
        usual = next((name for name, known in VIRFACE_RESNETS.items() if known == shape), None)
        known = usual or f"ResNet of {'+'.join(map(str, shape.units))} units"
        return f"VirFace's {known}, width {width:g}, embedding {shape_of(state, 'feature.weight', 2)[0]}"

    def build(self, state: State) -> gluon.HybridBlock:
        shape, width = _shape(state)
        embedding = shape_of(state, "feature.weight", 2)[0]
        channels = shape_of(state, "conv1.weight", 4)[0] * 8 * (_WIDER if shape.bottleneck else 1)
        config = BackboneConfig(name="resnet", embedding=embedding, dropout=0.0, width=width)
        return VirFaceResNet(shape, config, image_side(state, "feature.weight", channels))


def _shape(state: State) -> tuple[VirFaceShape, float]:
    """Units and kind of unit, and the factor on all channels."""
    units: dict[int, set[int]] = {stage: set() for stage in range(1, 5)}
    for key in state:
        if match := _UNIT.match(key):
            units[int(match[1])].add(int(match[2]))
    for stage, numbers in units.items():
        if numbers != set(range(len(numbers))) or not numbers:
            raise CheckpointError(f"some of the units layer{stage}.0, layer{stage}.1 … are missing")
    a, b, c, d = (len(numbers) for numbers in units.values())
    width = shape_of(state, "conv1.weight", 4)[0] / _WIDTH
    return VirFaceShape((a, b, c, d), "layer1.0.conv3.weight" in state), width
