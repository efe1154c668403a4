"""VirFace's residual units against its own module's numbers, and the network's layers."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.virface_resnet import Unit
from fairface.config.schema import BackboneConfig
from fairface.mx import nd
from unittests.backbones.torch_vectors import check

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "block_virface_resnet.npz")


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize(
    ("case", "block", "before_stride"),
    [
        ("basic_8_16_s2", lambda: Unit(8, 16, 2, bottleneck=False), set()),
        ("bottleneck_8_4x4_s2", lambda: Unit(8, 4, 2, bottleneck=True), {"bn1"}),
    ],
)
def test_block_equals_the_reference(case, block, before_stride, hybridize):
    values = 2 * 14 * 14
    check(block(), VECTORS, case, lambda layer: values if layer in before_stride else values // 4, hybridize)


def test_maps_have_the_published_sizes():
    net = build_backbone(BackboneConfig(name="resnet18", width=0.125))
    net.initialize()
    x = net.relu(net.bn1(net.conv1(net.normalise(nd.zeros((1, 3, 112, 112))))))
    sides = [x.shape[2]]
    for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = layer(x)
        sides.append(x.shape[2])
    assert sides == [108, 54, 27, 14, 7]


@pytest.mark.parametrize(
    ("name", "units"),
    [("resnet18", [2, 2, 2, 2]), ("resnet34", [3, 4, 6, 3]),
     pytest.param("resnet101", [3, 4, 23, 3], marks=pytest.mark.slow),
     pytest.param("resnet152", [3, 8, 36, 3], marks=pytest.mark.slow)],
)  # fmt: skip
def test_units_per_stage(name, units):
    net = build_backbone(BackboneConfig(name=name, width=0.125))
    assert [len(layer) for layer in (net.layer1, net.layer2, net.layer3, net.layer4)] == units


def test_no_dropout_unless_asked_for():
    assert build_backbone(BackboneConfig(name="resnet18", width=0.125)).dropout._rate == 0
    assert build_backbone(BackboneConfig(name="resnet18", width=0.125, dropout=0.25)).dropout._rate == 0.25
