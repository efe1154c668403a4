from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import BACKBONES, build_backbone
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.mx import autograd, gluon, mx, nd

COUNTS = np.load(Path(__file__).parent.parent / "vectors" / "param_counts.npz")


def small(**kwargs):
    return BackboneConfig(**{"name": "fresnet_tiny", "embedding": 32, "width": 0.25, **kwargs})


def pixels(count=2, size=32):
    return nd.array(np.random.default_rng(0).integers(0, 256, (count, 3, size, size)), dtype="float32")


def sizes(net):
    parameters = net._collect_params_with_prefix()
    buffers = [int(np.prod(p.shape)) for name, p in parameters.items() if "running" in name]
    weights = [int(np.prod(p.shape)) for name, p in parameters.items() if "running" not in name]
    return [sum(weights), len(weights), sum(buffers), len(buffers)]


@pytest.mark.parametrize(("name", "key"), [("fresnet50", "paranoidai_r50"), ("fresnet100", "paranoidai_r100")])
def test_parameter_counts_equal_the_reference(name, key):
    assert sizes(build_backbone(BackboneConfig(name=name))) == COUNTS[key].tolist()


@pytest.mark.parametrize(("name", "units"), [("fresnet18", [2, 2, 2, 2]), ("fresnet34", [3, 4, 6, 3])])
def test_units_per_stage(name, units):
    assert [len(stage) for stage in build_backbone(BackboneConfig(name=name)).stages] == units


@pytest.mark.parametrize(
    "name",
    ["fresnet_tiny", "fresnet50", "mobilefacenet", "ir_50", "ir_se_18", "resnet18", "resnet50", "r50sa",
     *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(BACKBONES))],
)  # fmt: skip
def test_every_backbone_gives_embeddings_at_112(name):
    net = build_backbone(BackboneConfig(name=name, embedding=24, width=0.125))
    net.initialize()
    out = net(pixels(1, 112))
    assert out.shape == (1, 24)
    assert np.isfinite(out.asnumpy()).all()


def test_maps_have_the_documented_sizes():
    net = build_backbone(BackboneConfig(name="mobilefacenet", width=0.125))
    net.initialize()
    maps, x = [], net.normalise(pixels(1, 112))
    for layer in net.features:
        x = layer(x)
        maps.append((x.shape[1], x.shape[2]))
    heights = [56, 56, 28, 28, 28, 28, 28, 14, 14, 14, 14, 14, 14, 14, 7, 7, 7, 7]
    assert [height for _, height in maps] == heights
    # Counted by hand from the layer table at full width: mobilefacenet's well-known 1.2 M.
    assert sizes(build_backbone(BackboneConfig(name="mobilefacenet", embedding=512)))[0] == 1_201_024


@pytest.mark.parametrize("size", [112, 128, 33])
def test_other_image_sizes_fit(size):
    for name in ("fresnet_tiny", "mobilefacenet"):
        net = build_backbone(small(name=name), size)
        net.initialize()
        assert net(pixels(1, size)).shape == (1, 32)


@pytest.mark.parametrize("name", ["fresnet_tiny", "mobilefacenet"])
def test_hybridized_and_exported_nets_give_the_same(name, tmp_path):
    net = build_backbone(small(name=name, se=name == "fresnet_tiny"), 32)
    net.initialize()
    x = pixels()
    expected = net(x).asnumpy()
    net.hybridize(static_alloc=True, static_shape=True)
    np.testing.assert_allclose(net(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)
    net.export(str(tmp_path / "model"), epoch=3)
    symbol, params = (str(tmp_path / f"model-{end}") for end in ("symbol.json", "0003.params"))
    loaded = gluon.SymbolBlock.imports(symbol, ["data"], params)
    np.testing.assert_allclose(loaded(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_forms_of_prelu_train_alike():
    """In float64, where no value lies within rounding of a kink."""
    results = []
    for form in ("onednn", "native"):
        mx.random.seed(3)
        net = build_backbone(small(prelu=form, dropout=0.0), 64)
        net.initialize()
        net.cast("float64")
        with autograd.record():
            loss = (net(pixels(8, 64).astype("float64")) ** 2 * nd.arange(32, dtype="float64").reshape((1, -1))).sum()
        loss.backward()
        parameters = net._collect_params_with_prefix()
        results.append({name: p.grad().asnumpy() for name, p in parameters.items() if p.grad_req != "null"})
    for name, gradient in results[0].items():
        scale = np.abs(results[1][name]).max() + 1e-6
        np.testing.assert_allclose(gradient / scale, results[1][name] / scale, atol=1e-5, err_msg=name)


def test_start_values_are_insightfaces():
    net = build_backbone(BackboneConfig(name="fresnet18", width=0.5), 32)
    net.initialize()
    weight = net.stages[2][0].conv1.weight.data().asnumpy()  # (128, 64, 3, 3)
    assert weight.std() == pytest.approx(np.sqrt(2 / (128 * 9)), rel=0.02)
    dense = net.output.pre_fc1.weight.data().asnumpy()
    assert dense.std() == pytest.approx(np.sqrt(2 / 512), rel=0.02)
    assert net.relu0.gamma.data().asnumpy().tolist() == [0.25] * 32
    assert not net.output.pre_fc1.bias.data().asnumpy().any()


def test_structural_names_do_not_depend_on_nets_made_before():
    build_backbone(small(), 32)
    names = list(build_backbone(small(), 32)._collect_params_with_prefix())
    assert names == list(build_backbone(small(), 32)._collect_params_with_prefix())
    assert {"conv0.weight", "relu0.gamma", "stages.1.0.conv1sc.weight", "stages.1.1.bn3.gamma"} <= set(names)


def test_dropout_acts_in_training_only():
    net = build_backbone(small(dropout=0.5), 32)
    net.initialize()
    x = pixels()
    with autograd.train_mode():
        assert not np.allclose(net.output.dropout(x).asnumpy(), x.asnumpy())
    np.testing.assert_array_equal(net.output.dropout(x).asnumpy(), x.asnumpy())


@pytest.mark.parametrize(
    ("config", "size", "message"),
    [
        (BackboneConfig(name="fresnet5O"), 112, "did you mean fresnet50"),
        (BackboneConfig(embedding=0), 112, "above 0"),
        (BackboneConfig(dropout=1.0), 112, "dropout"),
        (BackboneConfig(width=0.0), 112, "width"),
        (BackboneConfig(prelu="x"), 112, "prelu"),
        (BackboneConfig(name="mobilefacenet", se=True), 112, "squeeze"),
        (BackboneConfig(), 8, "at least 16 pixels"),
    ],
)
def test_bad_configurations_are_named(config, size, message):
    with pytest.raises(ConfigError, match=message):
        build_backbone(config, size)
