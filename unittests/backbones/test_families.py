"""What every family of backbones must do: counts, shapes, widths, export, training."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import BACKBONES, build_backbone
from fairface.backbones.adaface_ir import ADAFACE_IRS, AdaFaceIR, IRShape, adaface_key
from fairface.backbones.fresnet import FResNet, FResNetShape
from fairface.backbones.region_split import RegionShape, RegionSplitIR
from fairface.backbones.resnest import ResNeSt, ResNeStShape
from fairface.backbones.virface_resnet import VirFaceResNet, VirFaceShape
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.graph.export import export
from fairface.mx import autograd, gluon, mx, nd
from fairface.parameters import structural

COUNTS = np.load(Path(__file__).parent.parent / "vectors" / "param_counts.npz")
FEW = (1, 1, 2, 1)  # units per stage of nets that are small enough to run


def config(name="fresnet_tiny", **keys):
    return BackboneConfig(**{"name": name, "embedding": 16, "width": 0.125, "dropout": 0.0, **keys})


SMALL = {
    "fresnet": lambda keys, form: FResNet(FResNetShape(FEW), config(**keys), 32, form),
    "fresnet with SE": lambda keys, form: FResNet(FResNetShape(FEW), config(se=True, **keys), 32, form),
    "adaface": lambda keys, form: AdaFaceIR(IRShape(FEW), config(**keys), 32, form),
    "adaface, bottlenecks with SE": lambda keys, form: AdaFaceIR(IRShape(FEW, True, True), config(**keys), 32, form),
    "resnest": lambda keys, form: ResNeSt(ResNeStShape(FEW, 0.0), config(**keys), 32, form),
    "virface": lambda keys, form: VirFaceResNet(VirFaceShape(FEW, False), config(**keys), 32),
    "region split": lambda keys, form: RegionSplitIR(RegionShape(FEW), config(**keys), 32, form),
    "virface, bottlenecks": lambda keys, form: VirFaceResNet(VirFaceShape(FEW, True), config(**keys), 32),
}


def small(kind, form="onednn", **keys):
    mx.random.seed(0)
    net = SMALL[kind](keys, form)
    net.initialize()
    return net


def by_depth(names):
    """The deepest nets take long to build: only the slow tests do."""
    deep = re.compile(r"\w*(100|101|152|200|101sa|200sa|269sa)")
    return [pytest.param(name, marks=pytest.mark.slow) if deep.fullmatch(name) else name for name in names]


def pixels(count=4, size=32):
    return nd.array(np.random.default_rng(0).integers(0, 256, (count, 3, size, size)), dtype="float32")


def sizes(net):
    """Values and arrays of parameters and of running statistics.

    Without gamma and beta of the IR nets' last BatchNorm: the reference has none, MXNet holds them at 1 and 0.
    """
    shapes = {name: p.shape for name, p in structural(net).items() if adaface_key(name) is not None}
    weights = [int(np.prod(shape)) for name, shape in shapes.items() if "running" not in name]
    buffers = [int(np.prod(shape)) for name, shape in shapes.items() if "running" in name]
    return [sum(weights), len(weights), sum(buffers), len(buffers)]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ir_18", "adaface_ir_18"),
        ("ir_50", "adaface_ir_50"),
        ("ir_se_50", "adaface_ir_se_50"),
        ("resnet50", "virface_resnet50"),
    ],
)
def test_parameter_counts_equal_the_reference(name, key):
    assert sizes(build_backbone(BackboneConfig(name=name))) == COUNTS[key].tolist()


@pytest.mark.parametrize(
    ("name", "count"), [("ir_34", 34_134_080), pytest.param("ir_101", 65_150_912, marks=pytest.mark.slow)]
)
def test_parameter_counts_equal_the_published_ones(name, count):
    assert sizes(build_backbone(BackboneConfig(name=name)))[0] == count


@pytest.mark.slow
def test_deep_fresnets_add_units_of_known_size():
    """Against fresnet100, counted in the reference: a unit of C channels has 18 C^2 weights and 7 C beside them."""

    def unit(channels):
        return 2 * 9 * channels**2 + 7 * channels

    base = COUNTS["paranoidai_r100"][0]
    for name, second, third in (("fresnet152", -5, 6), ("fresnet200", 11, 6)):
        assert sizes(build_backbone(BackboneConfig(name=name)))[0] == base + second * unit(128) + third * unit(256)


@pytest.mark.parametrize("name", by_depth(BACKBONES))
def test_every_net_gives_one_embedding_per_image(name):
    """By shapes alone, at full depth."""
    graph = build_backbone(config(name), 33)(mx.sym.var("data"))
    assert graph.infer_shape(data=(2, 3, 33, 33))[1] == [(2, 16)]


@pytest.mark.parametrize("name", ["fresnet18", "mobilefacenet", "ir_se_18", "r50sa", "resnet18", "resnet50"])
def test_width_scales_every_family(name):
    narrow, half = (sum(np.prod(p.shape) for p in structural(build_backbone(config(name, width=w), 32)).values())
                    for w in (0.25, 0.5))  # fmt: skip
    assert 2 < half / narrow < 4.5


def test_se_key_turns_ir_into_ir_se():
    with_key = structural(build_backbone(config("ir_18", se=True)))
    assert {name: p.shape for name, p in with_key.items()} == {
        name: p.shape for name, p in structural(build_backbone(config("ir_se_18"))).items()
    }
    assert sum(shape.se for shape in ADAFACE_IRS.values()) == 6


@pytest.mark.parametrize("kind", SMALL)
def test_graph_exports_with_structural_names_and_gives_the_same(kind):
    net = small(kind)
    expected = net(pixels()).asnumpy()
    net.hybridize(static_alloc=True, static_shape=True)
    np.testing.assert_allclose(net(pixels()).asnumpy(), expected, rtol=1e-3, atol=1e-4)
    symbol, arrays = export(net)
    arrays = {key.split(":", 1)[-1]: value for key, value in arrays.items()}
    assert set(arrays) == set(structural(net))
    operators = {node["op"] for node in json.loads(symbol.tojson())["nodes"]}
    assert not operators & {"slice", "ones_like", "mean"}  # DropBlock is left out
    loaded = gluon.SymbolBlock(symbol, mx.sym.var("data"))
    for key, parameter in loaded.collect_params().items():
        parameter.shape = arrays[key].shape
        parameter._load_init(arrays[key], [mx.cpu()])
    np.testing.assert_allclose(loaded(pixels()).asnumpy(), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("form", ["onednn", "native"])
def test_hybridized_net_first_used_for_inference_trains(kind, form):
    net = small(kind, form, dropout=0.1)
    net.hybridize(static_alloc=True, static_shape=True)
    net(pixels(1)).wait_to_read()
    learned = [p for p in structural(net).values() if p.grad_req != "null"]
    trainer = gluon.Trainer(learned, "sgd", {"learning_rate": 1e-2})
    target = nd.random.normal(shape=(4, 16))
    losses = []
    for _ in range(5):
        with autograd.record():
            loss = ((net(pixels()) - target) ** 2).mean()
        loss.backward()
        trainer.step(1)
        losses.append(loss.asscalar())
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", SMALL)
def test_forms_and_graphs_give_the_same_gradients(kind):
    """In float64, where no value lies within rounding of a kink; DropBlock draws alike from the same seed."""
    results = []
    for form, hybridize in (("onednn", False), ("onednn", True), ("native", False)):
        net = small(kind, form)
        net.cast("float64")
        if hybridize:
            net.hybridize(static_alloc=True, static_shape=True)
        mx.random.seed(1)
        with autograd.record():
            loss = (net(pixels().astype("float64")) ** 2 * nd.arange(16, dtype="float64")).sum()
        loss.backward()
        results.append({name: p.grad().asnumpy() for name, p in structural(net).items() if p.grad_req != "null"})
    for key, gradient in results[0].items():
        scale = np.abs(gradient).max() + 1e-6
        for other in results[1:]:
            np.testing.assert_allclose(other[key] / scale, gradient / scale, atol=1e-5, err_msg=key)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"name": "ir_50", "output": "ECCV"}, "output.*choice of output layers"),
        ({"name": "resnet50", "output": "E"}, "output"),
        ({"name": "mobilefacenet", "output": "E"}, "output"),
        ({"name": "resnet50", "se": True}, "squeeze-and-excitation"),
        ({"name": "r50sa", "se": True}, "squeeze-and-excitation"),
        ({"name": "ir_51"}, "did you mean ir_"),
        ({"name": "nonsense"}, "usr:package.module:factory"),
        ({"name": "fresnet_tiny", "dropout": -0.5}, "dropout"),
    ],
)
def test_bad_configurations_are_named(keys, message):
    with pytest.raises(ConfigError, match=message):
        build_backbone(BackboneConfig(**keys))


@pytest.mark.parametrize("output", ["E", "GDC", "ECCV"])
def test_outputs_can_be_chosen(output):
    # The embedding is as wide as the map: a BatchNorm over (B, C, 1, 1) and one over (B, C) in the same net.
    net = build_backbone(config("fresnet_tiny", output=output, width=0.25, embedding=64, dropout=-1.0), 48)
    net.initialize()
    assert net(pixels(2, 48)).shape == (2, 64)
    assert net.output.dropout._rate == 0.4
