"""Sizes of dlib's network. What it computes: unittests/interop/dlib/test_net.py."""

import numpy as np
import pytest

from fairface.backbones.dlib_resnet import DlibResNet, DlibShape, Unit
from fairface.mx import mx, nd
from fairface.parameters import structural

PUBLISHED = DlibShape(
    150, 32,
    (*3 * [Unit(32)], Unit(64, True), *3 * [Unit(64)], Unit(128, True), *2 * [Unit(128)], Unit(256, True),
     *2 * [Unit(256)], Unit(256, True)),
    128,
)  # fmt: skip


def test_the_published_network_has_29_convolutions_and_maps_of_dlibs_sizes():
    sides = PUBLISHED.sides()
    assert [sides[i] for i in (0, 4, 8, 11, 14)] == [35, 17, 8, 4, 2]
    parameters = structural(DlibResNet(PUBLISHED))
    weights = [name for name in parameters if name.endswith("weight") and name != "fc.weight"]
    assert len(weights) == 29
    # dlib's example counts what it trains; the affine layers' factors are in the convolutions here.
    count = sum(int(np.prod(parameter.shape)) for parameter in parameters.values())
    convolutions = 32 * (3 * 49 + 1)
    inputs = 32
    for unit in PUBLISHED.units:
        convolutions += unit.channels * (9 * inputs + 1) + unit.channels * (9 * unit.channels + 1)
        inputs = unit.channels
    assert count == convolutions + 256 * 128


@pytest.mark.parametrize(("size", "wrong"), [(46, 48), (46, 38)])
def test_images_of_another_size_are_refused(size, wrong):
    net = DlibResNet(DlibShape(size, 2, (Unit(2), Unit(4, True), Unit(4, True)), 3))
    net.initialize(mx.init.Xavier())
    assert net(nd.zeros((2, 3, size, size))).shape == (2, 3)
    with pytest.raises(mx.base.MXNetError):
        net(nd.zeros((1, 3, wrong, wrong))).wait_to_read()
