"""The region-split net: its unit against UFace's own module's numbers, what each part sees, and its variants."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.region_split import REGION_SPLITS, RegionShape, RegionSplitIR, RegionUnit
from fairface.config.regions import SPLITS, Split, embedding_regions
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.graph.export import export
from fairface.graph.inference import for_inference
from fairface.graph.saved import Graph
from fairface.mx import autograd, gluon, mx, nd, nn
from fairface.parameters import structural
from unittests.backbones.torch_vectors import check, torch_key
from unittests.graph.test_fold import error, outputs

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS, COUNTS = np.load(FOLDER / "block_uface_hc.npz"), np.load(FOLDER / "param_counts.npz")
SMALL = RegionShape((1, 1, 2, 1), channels=16)


class OnOneMap(nn.HybridBlock):
    """The unit between cutting and joining, as the published module is."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self._quarter = inputs // 4
        self.unit = RegionUnit(Split(), inputs, outputs, stride, 8, "onednn")

    def hybrid_forward(self, F, x):
        rest = F.slice_axis(x, axis=1, begin=self._quarter, end=None)
        upper, lower, holistic = self.unit(
            F.slice_axis(rest, axis=2, begin=0, end=8),
            F.slice_axis(rest, axis=2, begin=8, end=None),
            F.slice_axis(x, axis=1, begin=0, end=self._quarter),
        )
        return F.concat(holistic, F.concat(upper, lower, dim=2), dim=1)


def key_of(name):
    return torch_key(name.removeprefix("unit."))


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize(("outputs", "stride"), [(32, 2), (16, 1)])
def test_unit_equals_the_reference(outputs, stride, hybridize):
    rows = {"1": 8, "2": 6, "3": 14}

    def values_of(layer):
        part, place = layer.split(".")[0][-1], layer.split(".")[1]
        before = layer.startswith("res") and place in ("0", "2")
        return 2 * rows[part] * 14 // (1 if before else stride**2)

    assert int(VECTORS["rows_upper_of_14"]) == 4 * 14 // 7
    check(OnOneMap(16, outputs, stride), VECTORS, f"hc_16_{outputs}_s{stride}", values_of, hybridize, key_of)


def test_the_net_of_fifty_layers_has_the_published_counts():
    shapes = {name: np.prod(p.shape) for name, p in structural(build_backbone(BackboneConfig("split_ir_50"))).items()}
    running = {name for name in shapes if "running" in name}
    held = {f"output_layer{part}.4.{kind}" for part in (1, 2, 3) for kind in ("gamma", "beta")}
    trained = shapes.keys() - running - held
    assert [sum(shapes[name] for name in trained), len(trained)] == COUNTS["uface_ir_50"][:2].tolist()
    assert [sum(shapes[name] for name in running), len(running)] == COUNTS["uface_ir_50"][2:].tolist()


def small(regions="", size=56, embedding=32, shape=SMALL):
    net = RegionSplitIR(shape, BackboneConfig(embedding=embedding, dropout=0.0, regions=regions), size, "onednn")
    mx.random.seed(1)
    net.initialize()
    return net


def _reached(net, values, size=56):
    """Rows of the image whose pixels have an effect on these values of the embedding, at inference."""
    x = nd.random.uniform(0, 255, (1, 3, size, size))
    x.attach_grad()
    with autograd.record(train_mode=False):
        loss = (net(x)[:, values] ** 2).sum()
    loss.backward(train_mode=False)
    return np.flatnonzero(np.abs(x.grad.asnumpy()).sum(axis=(0, 1, 3)))


@pytest.mark.parametrize(("regions", "cut"), [("", 32), ("rows", 32), ("rows_384", 32), ("rows_separate", 32),
                                              ("reversed", 24)])  # fmt: skip
def test_each_region_sees_its_part_of_the_face(regions, cut):
    net = small(regions)
    parts = embedding_regions(regions, 32)
    # The first convolution, before the cut, lets each part see one row of the other.
    assert _reached(net, parts["upper"]).tolist() == list(range(cut + 1))
    assert _reached(net, parts["lower"]).tolist() == list(range(cut - 1, 56))
    assert ("holistic" in parts) == (SPLITS[regions].holistic > 0)
    if "holistic" in parts:
        assert len(_reached(net, parts["holistic"])) == 56


def test_a_late_split_sees_more_than_an_early_one():
    net = small("late")
    assert len(net.whole) == 1
    assert len(_reached(net, embedding_regions("late", 32)["upper"])) > 33


def test_sizes_of_the_parts():
    assert embedding_regions("", 512) == {
        "holistic": slice(0, 128), "upper": slice(128, 384), "lower": slice(384, 512),
    }  # fmt: skip
    assert embedding_regions("rows_384", 512) == {"upper": slice(0, 384), "lower": slice(384, 512)}
    assert embedding_regions("rows", 512) == {"upper": slice(0, 256), "lower": slice(256, 512)}
    with pytest.raises(ConfigError, match=r"backbone.embedding is 130; .* set 128"):
        embedding_regions("", 130)


@pytest.mark.parametrize("regions", sorted(SPLITS))
def test_variants_train_and_keep_their_values_without_batch_norms(regions):
    net = small(regions, 112 if regions == "reversed" else 56)
    x = nd.random.uniform(0, 255, (4, 3, 112, 112) if regions == "reversed" else (4, 3, 56, 56))
    net.hybridize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.05})
    losses = []
    target = nd.random.normal(shape=(4, 32))
    for _ in range(4):
        with autograd.record():
            loss = ((net(x) - target) ** 2).mean()
        loss.backward()
        trainer.step(1)
        losses.append(float(loss.asscalar()))
    assert losses[-1] < losses[0]
    expected = net(x).asnumpy()
    symbol, arrays = export(net)
    graph = for_inference(Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()}), on_gpu=False)
    assert error(outputs(graph, x), expected) < 1e-5


def test_shared_and_separate_shortcuts_differ_in_their_parameters():
    shared, separate = (structural(small(regions)) for regions in ("rows", "rows_separate"))
    more = separate.keys() - shared.keys()
    assert more
    assert all("shortcut_layer2" in name for name in more)
    assert not shared.keys() - separate.keys()


@pytest.mark.parametrize("size", [33, 112, 128])
def test_any_image_size(size):
    net = build_backbone(BackboneConfig("split_ir_tiny", embedding=16, width=0.25), size)
    net.initialize()
    assert net(nd.zeros((2, 3, size, size))).shape == (2, 16)


def test_an_image_size_that_a_shared_shortcut_cannot_halve_is_refused():
    with pytest.raises(ConfigError, match=r"is 'rows' and data.image_size 28: .* 1 and 1 row cannot be halved"):
        small("rows", 28, shape=RegionShape((1, 1, 1, 2), channels=16, stem_stride=2))
    assert small("rows_separate", 28)(nd.zeros((1, 3, 28, 28))).shape == (1, 32)


def test_other_nets_have_no_regions():
    with pytest.raises(ConfigError, match=r"backbone.regions is 'rows'; ir_18 has no regions"):
        build_backbone(BackboneConfig("ir_18", regions="rows"))
    with pytest.raises(ConfigError, match=r"backbone.se is True; split_ir_18 has no squeeze"):
        build_backbone(BackboneConfig("split_ir_18", se=True))


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152, 200])
def test_units_per_stage(depth):
    assert sum(REGION_SPLITS[f"split_ir_{depth}"].units) == {18: 8, 34: 16, 50: 24, 101: 49, 152: 50, 200: 66}[depth]
