"""LPD's net: counts of the published one, maps, what each stream is made of, how BatchNorm sees the streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone, build_lpd
from fairface.backbones.blocks import Normalise
from fairface.backbones.localiser import crop
from fairface.backbones.lpd import LPDNet, Streams
from fairface.backbones.lpd_resnet import DEVIATIONS, MEANS, NormaliseChannels
from fairface.config.schema import BackboneConfig, LPDConfig
from fairface.errors import ConfigError
from fairface.mx import autograd, mx, nd
from fairface.parameters import structural

COUNTS = np.load(Path(__file__).parent.parent / "vectors" / "param_counts.npz")
TINY = BackboneConfig(name="lpd_tiny", embedding=256, width=0.25)
SIZE = 32


def tiny(**options: object) -> LPDNet:
    mx.random.seed(0)
    net = build_lpd(TINY, SIZE, LPDConfig(**options))  # type: ignore[arg-type]
    net.initialize()
    return net


def pixels(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, SIZE, SIZE)).astype(np.float32)


def test_parameter_counts_equal_the_published_net() -> None:
    """The reference counts two classifiers of 10,572 identities, and BatchNorm's statistics apart."""
    net = build_backbone(BackboneConfig(name="lpd", embedding=4096), 128)
    shapes = {name: p.shape for name, p in structural(net).items()}
    values, arrays, running, buffers = COUNTS["lpd_gugugirls_resnet50_softmax_10572"].tolist()
    weights = [int(np.prod(shape)) for name, shape in shapes.items() if "running" not in name]
    assert sum(weights) + 2 * 10572 * 2048 == values
    assert len(weights) + 2 == arrays
    statistics = [int(np.prod(shape)) for name, shape in shapes.items() if "running" in name]
    assert (sum(statistics), len(statistics)) == (running, buffers)


@pytest.mark.parametrize(("size", "last"), [(112, 7), (128, 8)])
def test_the_last_two_stages_have_one_size(size: int, last: int) -> None:
    net = build_lpd(TINY, size, LPDConfig())
    net.initialize()
    trunk, x = net.trunk, nd.zeros((1, 3, size, size))
    x = trunk.pool(trunk.relu(trunk.bn1(trunk.conv1(x))))
    sides = [x.shape[2]]
    for stage in trunk.stages:
        x = stage(x)
        sides.append(x.shape[2])
    assert sides == [4 * last, 4 * last, 2 * last, last, last]
    assert x.shape[1] == net.channels == 128


def test_pixels_are_normalised_and_back() -> None:
    x = pixels()
    normal = NormaliseChannels()(nd.array(x)).asnumpy()
    wanted = (x / 255 - np.array(MEANS)[:, None, None]) / np.array(DEVIATIONS)[:, None, None]
    np.testing.assert_allclose(normal, wanted, atol=1e-5)
    np.testing.assert_allclose(NormaliseChannels().undo(normal), x, atol=1e-3)
    np.testing.assert_allclose(Normalise().undo(Normalise()(nd.array(x)).asnumpy()), x, atol=1e-3)


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("joint", [False, True])
def test_both_streams_go_through_one_net(hybridize: bool, joint: bool) -> None:
    net, x = tiny(joint_statistics=joint), nd.array(pixels())
    if hybridize:
        net.hybridize(static_alloc=True, static_shape=True)
    image = net.normalise(x)
    where = net.localiser(image)
    part = crop(nd, image, where, SIZE, "corners")
    whole, partial = net.global_bn(net.trunk(image)).asnumpy(), net.partial_bn(net.trunk(part)).asnumpy()
    np.testing.assert_allclose(net(x).asnumpy(), np.concatenate([whole, partial], axis=1), rtol=1e-4, atol=1e-5)
    streams = Streams(net)
    streams.hybridize()
    found = [array.asnumpy() for array in streams(x)]
    for values, wanted in zip(found, (whole, partial, where.asnumpy()), strict=True):
        np.testing.assert_allclose(values, wanted, rtol=1e-4, atol=1e-5)
    assert np.abs(whole - partial).max() > 1e-3
    np.testing.assert_allclose(net.part(nd, x).asnumpy(), part.asnumpy(), atol=1e-5)


@pytest.mark.parametrize("joint", [False, True])
def test_what_batch_norm_keeps_of_the_two_streams(joint: bool) -> None:
    net, x = tiny(joint_statistics=joint), nd.array(pixels())
    streams = Streams(net)
    streams.hybridize(static_alloc=True, static_shape=True)
    with autograd.record():
        loss = sum(values.sum() for values in streams(x))
    loss.backward()
    with autograd.train_mode():
        image = net.normalise(x)
        part = crop(nd, image, net.localiser(image), SIZE, "corners")
    maps = [net.trunk.conv1(stream).asnumpy().astype(np.float64) for stream in (image, part)]
    wanted = np.zeros(maps[0].shape[1])
    for seen in [np.concatenate(maps)] if joint else reversed(maps):  # MXNet keeps statistics in the backward pass
        wanted = 0.9 * wanted + 0.1 * seen.mean(axis=(0, 2, 3))
    kept = net.trunk.bn1.running_mean.data().asnumpy()
    np.testing.assert_allclose(kept, wanted, rtol=1e-3, atol=1e-5)
    gradient = net.trunk.conv1.weight.grad().asnumpy()
    assert np.isfinite(gradient).all()
    assert gradient.any()
    assert net.localiser.fc1.weight.grad().asnumpy().any()  # the part's loss reaches the localiser through the crop


def test_the_baseline_is_the_global_stream() -> None:
    net = tiny()
    alone = build_backbone(BackboneConfig(name="lpd_global_tiny", embedding=128, width=0.25), SIZE)
    alone.initialize()
    theirs = structural(net)
    for name, parameter in structural(alone).items():
        parameter.set_data(theirs[name].data())
    whole = net(nd.array(pixels())).asnumpy()[:, :128]
    np.testing.assert_allclose(alone(nd.array(pixels())).asnumpy(), whole, atol=1e-5)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"embedding": 511}, r"backbone.embedding is 511; lpd_tiny gives two streams of equal size: make it even"),
        ({"dropout": 0.2}, r"backbone.dropout is 0.2; lpd_tiny has no"),
        ({"se": True}, r"lpd_tiny has no squeeze-and-excitation"),
    ],
)
def test_what_makes_no_net(keys: dict[str, object], said: str) -> None:
    config = BackboneConfig(**{"name": "lpd_tiny", "embedding": 256, "width": 0.25, **keys})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=said):
        build_backbone(config, SIZE)


def test_a_net_without_a_localiser() -> None:
    with pytest.raises(ConfigError, match=r"backbone.name is 'fresnet50'; Latent Part Detection knows: lpd, lpd_tiny"):
        build_lpd(BackboneConfig(), SIZE, LPDConfig())


def test_a_mobilefacenet_is_shared_by_both_streams() -> None:
    config = BackboneConfig(name="lpd_mobilefacenet", embedding=32, width=0.25)
    mx.random.seed(0)
    net = build_lpd(config, SIZE, LPDConfig())
    alone = build_backbone(BackboneConfig(name="mobilefacenet", embedding=16, width=0.25), SIZE)
    for block in (net, alone):
        block.initialize()
    x = nd.array(pixels())
    net(x), alone(x)
    values = {name.removeprefix("trunk."): p.data() for name, p in structural(net).items() if name.startswith("trunk.")}
    assert values.keys() == structural(alone).keys()
    for name, parameter in structural(alone).items():
        parameter.set_data(values[name])
    image, part, _ = net._image_and_part(nd, x)
    np.testing.assert_allclose(net.trunk(image).asnumpy(), alone(x).asnumpy(), atol=1e-5)
    cut = nd.array(net.normalise.undo(part.asnumpy()))
    streams = [net.global_bn(alone(x)), net.partial_bn(alone(cut))]
    np.testing.assert_allclose(net(x).asnumpy(), nd.concat(*streams, dim=1).asnumpy(), atol=1e-4)
