"""Blocks against numbers that the reference's own symbols gave (float32, MXNet)."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones.blocks import Normalise, OutputE, OutputGDC, ResidualUnit
from fairface.mx import autograd, nd

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "block_paranoidai_fresnet.npz")


def reference_name(name, prefix):
    """``bn1.running_mean`` -> ``u_bn1_moving_mean``."""
    return prefix + name.replace(".", "_").replace("running_", "moving_")


def close(actual, expected, rtol=1e-4):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max() + 1e-12)


def loaded(block, case, prefix):
    block.initialize()
    parameters = block._collect_params_with_prefix()
    for name, parameter in parameters.items():
        parameter.set_data(nd.array(VECTORS[f"{case}.w.{reference_name(name, prefix)}"]))
    expected = {key.split(".w.")[1] for key in VECTORS.files if key.startswith(f"{case}.w.")}
    assert {reference_name(name, prefix) for name in parameters} == expected
    return parameters


CASES = {
    "unit_8_16_s2": (lambda form: ResidualUnit(8, 16, 2, form), "u_"),
    "unit_8_8_s1": (lambda form: ResidualUnit(8, 8, 1, form), "u_"),
    "fc1_E": (lambda form: OutputE(8, 3, 16, 0.0), ""),
}


@pytest.mark.parametrize("form", ["onednn", "native"])
@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_block_equals_the_reference(case, hybridize, form):
    make, prefix = CASES[case]
    block = make(form)
    parameters = loaded(block, case, prefix)
    if hybridize:
        block.hybridize()
    x = nd.array(VECTORS[f"{case}.x"])
    close(block(x).asnumpy(), VECTORS[f"{case}.y0_eval"])

    x.attach_grad()
    with autograd.record():
        y = block(x)
    y.backward(nd.array(VECTORS[f"{case}.gy0"]))
    close(y.asnumpy(), VECTORS[f"{case}.y0_train"])
    close(x.grad.asnumpy(), VECTORS[f"{case}.grad_train.data"])
    for name, parameter in parameters.items():
        key = reference_name(name, prefix)
        if name.startswith(("bn", "sc.", "fc1.")) and "running" in name:
            close(parameter.data().asnumpy(), VECTORS[f"{case}.after_train.{key}"])
        elif parameter.grad_req != "null":
            expected = VECTORS[f"{case}.grad_train.{key}"]
            # The bias before BatchNorm has no gradient but rounding.
            atol = 1e-5 if key == "pre_fc1_bias" else 1e-4 * np.abs(expected).max()
            np.testing.assert_allclose(parameter.grad().asnumpy(), expected, rtol=0, atol=atol)


def test_last_batch_norm_ignores_its_gamma():
    parameters = loaded(OutputE(8, 3, 16, 0.0), "fc1_E", "")
    assert parameters["fc1.gamma"].grad_req == "null"


def test_normalise_maps_pixels_to_minus_one_to_one():
    pixels = nd.array(np.array([0.0, 127.5, 255.0, 100.0]).reshape(1, 1, 2, 2))
    expected = (np.array([0.0, 127.5, 255.0, 100.0]) - 127.5) / 128
    np.testing.assert_allclose(Normalise()(pixels).asnumpy().ravel(), expected, rtol=1e-7)


def test_squeeze_excite_gates_channels():
    unit = ResidualUnit(32, 32, 1, "onednn", se=True)
    unit.initialize()
    x = nd.random.normal(shape=(2, 32, 6, 6))
    plain = unit.bn3(unit.conv2(unit.relu1(unit.bn2(unit.conv1(unit.bn1(x)))))).asnumpy()
    w = {name: p.data().asnumpy() for name, p in unit.se._collect_params_with_prefix().items()}
    hidden = plain.mean((2, 3)) @ w["conv1.weight"][:, :, 0, 0].T + w["conv1.bias"]
    hidden = np.where(hidden > 0, hidden, 0.25 * hidden)
    gate = 1 / (1 + np.exp(-(hidden @ w["conv2.weight"][:, :, 0, 0].T + w["conv2.bias"])))
    np.testing.assert_allclose(unit(x).asnumpy(), plain * gate[:, :, None, None] + x.asnumpy(), rtol=1e-4, atol=1e-5)


def test_gdc_is_a_weighted_sum_over_the_map():
    block = OutputGDC(8, 3, 5, 0.0, 1e-3)
    block.initialize()
    x = np.random.default_rng(0).normal(size=(2, 8, 3, 3)).astype(np.float32)
    w = {name: p.data().asnumpy() for name, p in block._collect_params_with_prefix().items()}
    pooled = np.einsum("bchw,chw->bc", x, w["conv_6dw.weight"][:, 0]) / np.sqrt(1 + 1e-3)
    expected = (pooled @ w["pre_fc1.weight"].T) / np.sqrt(1 + 2e-5)
    np.testing.assert_allclose(block(nd.array(x)).asnumpy(), expected, rtol=1e-4, atol=1e-6)
