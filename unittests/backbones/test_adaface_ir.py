"""AdaFace's IR units against its own module's numbers, and the networks against its counts and names."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.adaface_ir import ADAFACE_IRS, IRUnit, SEModule, adaface_key
from fairface.config.schema import BackboneConfig
from fairface.mx import nd
from unittests.backbones.torch_vectors import check

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "block_adaface_ir.npz")
IMAGES, SIDE = 2, 14

# Case: block (given the form of PReLU), and the layers that stand behind the stride.
CASES = {
    "ir_8_16_s2": (lambda form: IRUnit(8, 16, 2, form), {"res_layer.5", "shortcut_layer.1"}),
    "ir_8_8_s1": (lambda form: IRUnit(8, 8, 1, form), set()),
    "ir_8_8_s2": (lambda form: IRUnit(8, 8, 2, form), {"res_layer.5"}),
    "irse_16_32_s2": (
        lambda form: IRUnit(16, 32, 2, form, se=SEModule(32, SIDE // 2 if form == "onednn" else None)),
        {"res_layer.5", "shortcut_layer.1"},
    ),
    "bottleneck_16_32_s2": (
        lambda form: IRUnit(16, 32, 2, form, bottleneck=True),
        {"res_layer.8", "shortcut_layer.1"},
    ),
    "se_32_r16": (lambda form: SEModule(32, SIDE if form == "onednn" else None), set()),
}


@pytest.mark.parametrize("form", ["onednn", "native"])
@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_block_equals_the_reference(case, hybridize, form):
    make, behind = CASES[case]
    values = IMAGES * SIDE**2

    def values_of(layer):
        return values // 4 if layer in behind else values

    check(make(form), VECTORS, case, values_of, hybridize, key=adaface_key)


def test_shortcut_of_a_unit_that_keeps_its_channels_takes_every_second_place():
    x = nd.random.normal(shape=(2, 8, 7, 9))
    unit = IRUnit(8, 8, 2, "onednn")
    np.testing.assert_array_equal(unit.shortcut_layer(x).asnumpy(), x.asnumpy()[:, :, ::2, ::2])
    assert not IRUnit(8, 8, 1, "onednn")._collect_params_with_prefix("unit").keys() & {"unit.shortcut_layer.0.weight"}


@pytest.mark.parametrize("name", ["ir_18", "ir_se_18"])
def test_names_map_to_the_published_ones(name):
    net = build_backbone(BackboneConfig(name=name, width=0.125))
    keys = {adaface_key(structural) for structural in net._collect_params_with_prefix()}
    norm = ("weight", "bias", "running_mean", "running_var")
    expected = {"input_layer.0.weight", "input_layer.2.weight", "output_layer.3.weight", "output_layer.3.bias"}
    expected |= {f"input_layer.1.{kind}" for kind in norm} | {f"output_layer.0.{kind}" for kind in norm}
    expected |= {"output_layer.4.running_mean", "output_layer.4.running_var", None}
    for unit in range(8):
        layers = [f"body.{unit}.res_layer.{layer}" for layer in (0, 2, 5)]
        expected |= {f"body.{unit}.res_layer.{layer}.weight" for layer in (1, 3, 4)}
        if unit in (2, 4, 6):  # the first unit of every stage but the first, which keeps its 64 channels
            expected.add(f"body.{unit}.shortcut_layer.0.weight")
            layers.append(f"body.{unit}.shortcut_layer.1")
        if name == "ir_se_18":
            expected |= {f"body.{unit}.res_layer.se_block.fc{k}.weight" for k in (1, 2)}
        expected |= {f"{layer}.{kind}" for layer in layers for kind in norm}
    assert keys == expected


@pytest.mark.parametrize(
    ("name", "blocks", "halving"),
    [("ir_18", 8, [0, 2, 4, 6]), ("ir_50", 24, [0, 3, 7, 21]),
     pytest.param("ir_101", 49, [0, 3, 16, 46], marks=pytest.mark.slow),
     pytest.param("ir_152", 50, [0, 3, 11, 47], marks=pytest.mark.slow),
     pytest.param("ir_200", 66, [0, 3, 27, 63], marks=pytest.mark.slow)],
)  # fmt: skip
def test_units_and_where_they_halve_the_map(name, blocks, halving):
    body = build_backbone(BackboneConfig(name=name, width=0.125)).body
    last = 7 if ADAFACE_IRS[name].bottleneck else 4
    assert len(body) == blocks
    assert [i for i, unit in enumerate(body) if unit.res_layer[last]._kwargs["stride"] == (2, 2)] == halving


def test_last_layer_is_biased_and_its_batch_norm_holds_gamma_and_beta():
    net = build_backbone(BackboneConfig(name="ir_18", width=0.125, embedding=8), 32)
    net.initialize()
    assert net.output_layer[3].bias.data().asnumpy().tolist() == [0.0] * 8
    assert {net.output_layer[4].gamma.grad_req, net.output_layer[4].beta.grad_req} == {"null"}


def test_pixels_are_taken_as_x_by_255_less_a_half_by_a_half():
    net = build_backbone(BackboneConfig(name="ir_18", width=0.125), 32)
    x = np.arange(256, dtype=np.float32).reshape(1, 1, 16, 16)
    np.testing.assert_allclose(net.normalise(nd.array(x)).asnumpy(), (x / 255 - 0.5) / 0.5, atol=1e-6)
