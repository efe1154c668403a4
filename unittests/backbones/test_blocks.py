"""Blocks against numbers that the reference's own symbols gave (float32, MXNet)."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones.blocks import Normalise, OutputE, OutputGDC, ResidualUnit, batch_norm, vector_norm
from fairface.mx import autograd, nd, nn

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


def test_norm_of_vectors_may_follow_one_of_maps_of_one_pixel():
    """Where both have the same epsilon, MXNet 1.9.1 ends the process here."""
    before = nn.Conv2D(24, 1, in_channels=8)  # leaves its result in oneDNN's layout
    maps, vectors = batch_norm(24), vector_norm(24, scale=False)
    for layer in (before, maps, vectors):
        layer.initialize()
    maps(before(nd.ones((3, 8, 1, 1)))).wait_to_read()
    x = nd.random.normal(shape=(3, 24))
    np.testing.assert_allclose(vectors(x).asnumpy(), x.asnumpy() / np.sqrt(1 + 2e-5), rtol=1e-6)


def test_squeeze_excite_knows_a_fast_form():
    plain, fast = (ResidualUnit(32, 32, 2, "onednn", se=True, size=size) for size in (None, 3))
    x = nd.random.normal(shape=(2, 32, 6, 6))
    results = []
    for unit in (plain, fast):
        unit.initialize()
        for own, other in zip(unit.collect_params().values(), plain.collect_params().values(), strict=True):
            own.set_data(other.data())
        with autograd.record():
            y = unit(x)
        y.backward()
        results.append([y.asnumpy(), *(p.grad().asnumpy() for p in unit.collect_params(".*conv.*").values())])
    for one, other in zip(*results, strict=True):
        close(one, other)
