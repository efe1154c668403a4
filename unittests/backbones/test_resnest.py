"""Split attention against numbers that the reference's own block gave; ResNeSt's layers."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.resnest import Bottleneck
from fairface.backbones.split_attention import SplitAttention
from fairface.config.schema import BackboneConfig
from fairface.mx import autograd, mx, nd

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "block_paranoidai_fresnet.npz")
CASE = "split_attention_8_r2"
LAYERS = {"conv": "sa", "bn": "batchnorm0", "fc1": "conv0", "bn1": "batchnorm1", "fc2": "conv1"}


def reference_name(name):
    layer, kind = name.split(".")
    return f"{LAYERS[layer]}_{kind}"


def close(actual, expected, atol=0.0):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4 * np.abs(expected).max() + atol + 1e-12)


@pytest.mark.parametrize("size", [8, None])
@pytest.mark.parametrize("hybridize", [False, True])
def test_split_attention_equals_the_reference(hybridize, size):
    block = SplitAttention(8, 8, size, epsilon=1e-5)
    block.initialize()
    parameters = block._collect_params_with_prefix()
    for name, parameter in parameters.items():
        parameter.set_data(nd.array(VECTORS[f"{CASE}.w.{reference_name(name)}"]))
    stored = {key.split(".w.")[1] for key in VECTORS.files if key.startswith(f"{CASE}.w.")}
    assert {reference_name(name) for name in parameters} == stored
    if hybridize:
        block.hybridize(static_alloc=True, static_shape=True)

    x = nd.array(VECTORS[f"{CASE}.x"])
    close(block(x).asnumpy(), VECTORS[f"{CASE}.y0_eval"])
    x.attach_grad()
    with autograd.record():
        y = block(x)
    y.backward(nd.array(VECTORS[f"{CASE}.gy0"]))
    close(y.asnumpy(), VECTORS[f"{CASE}.y0_train"])
    close(x.grad.asnumpy(), VECTORS[f"{CASE}.grad_train.data"])
    for name, parameter in parameters.items():
        key = reference_name(name)
        if "running" in name:
            close(parameter.data().asnumpy(), VECTORS[f"{CASE}.after_train.{key}"])
        else:
            # The bias before BatchNorm has no gradient but rounding, which a BatchNorm over three values enlarges.
            close(parameter.grad().asnumpy(), VECTORS[f"{CASE}.grad_train.{key}"], 3e-3 if key == "conv0_bias" else 0.0)


def test_unit_starts_as_its_shortcut():
    unit = Bottleneck(32, 8, 1, 6, 0.0, "onednn")
    unit.initialize()
    x = nd.random.normal(shape=(2, 32, 6, 6))
    np.testing.assert_array_equal(unit(x).asnumpy(), np.maximum(x.asnumpy(), 0))


@pytest.mark.parametrize("size", [6, 7])
def test_halving_unit_averages_its_shortcut(size):
    unit = Bottleneck(4, 8, 2, size, 0.0, "onednn")
    unit.initialize()
    x = nd.random.normal(shape=(1, 4, size, size))
    pooled = np.zeros((1, 4, 4 if size % 2 else 3, 4 if size % 2 else 3), np.float32)
    for row, column in np.ndindex(pooled.shape[2:]):
        window = x.asnumpy()[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        pooled[:, :, row, column] = window.mean((2, 3))
    weight = unit.downsample[1].weight.data().asnumpy()[:, :, 0, 0]
    expected = np.maximum(np.einsum("oc,bchw->bohw", weight, pooled) / np.sqrt(1 + 2e-5), 0)
    np.testing.assert_allclose(unit(x).asnumpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "units", "dropout"),
    [("r50sa", [3, 4, 6, 3], 0.0),
     pytest.param("r101sa", [3, 4, 23, 3], 0.0, marks=pytest.mark.slow),
     pytest.param("r200sa", [3, 24, 36, 3], 0.2, marks=pytest.mark.slow),
     pytest.param("r269sa", [3, 30, 48, 8], 0.2, marks=pytest.mark.slow)],
)  # fmt: skip
def test_units_per_stage_and_dropout(name, units, dropout):
    net = build_backbone(BackboneConfig(name=name, width=0.125), 32)
    assert [len(stage) for stage in net.stages] == units
    assert net.output.dropout._rate == dropout


def test_dropblock_stands_in_the_last_two_stages():
    net = build_backbone(BackboneConfig(name="r50sa", width=0.125), 48)
    found = [[len(unit._dropblocks) for unit in stage] for stage in net.stages]
    assert found == [[0] * 3, [0] * 4, [3] * 6, [3] * 3]
    net.initialize()
    for parameter in net.collect_params(".*gamma").values():
        parameter.set_data(nd.ones_like(parameter.data()))  # a unit that has learned lets its DropBlocks through
    net.hybridize(static_alloc=True, static_shape=True)
    x = nd.random.uniform(0, 255, shape=(4, 3, 48, 48))
    np.testing.assert_array_equal(net(x).asnumpy(), net(x).asnumpy())
    outputs = []
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        with autograd.train_mode():
            outputs.append(net(x).asnumpy())
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()
