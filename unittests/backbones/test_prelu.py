import json

import numpy as np
import pytest

from fairface.backbones.prelu import PReLU, prelu_form
from fairface.errors import ConfigError
from fairface.mx import autograd, mx, nd


def run(form, x, gamma, seed_gradient, hybridize):
    block = PReLU(x.shape[1], form)
    block.initialize()
    block.gamma.set_data(nd.array(gamma))
    if hybridize:
        block.hybridize(static_alloc=True, static_shape=True)
    data = nd.array(x)
    data.attach_grad()
    with autograd.record():
        y = block(data)
    y.backward(nd.array(seed_gradient))
    return y.asnumpy(), data.grad.asnumpy(), block.gamma.grad().asnumpy()


@pytest.mark.parametrize("channels", [16, 5])
@pytest.mark.parametrize("hybridize", [False, True])
def test_both_forms_equal_the_definition_with_gradients(channels, hybridize):
    rng = np.random.default_rng(0)
    x = rng.normal(0, 3, (3, channels, 7, 6)).astype(np.float32)
    x[0, 0, 0, :3] = (0.0, 1e-20, 1e6)
    gamma = rng.uniform(-0.5, 1.5, channels).astype(np.float32)
    gamma[:3] = (0.0, 1.0, 0.25)
    g = rng.normal(size=x.shape).astype(np.float32)
    x64, g64, slope = x.astype(float), g.astype(float), gamma.astype(float)[None, :, None, None]
    expected_y = np.where(x64 > 0, x64, slope * x64)
    expected_x = np.where(x64 > 0, g64, slope * g64)
    expected_gamma = np.where(x64 > 0, 0, g64 * x64).sum((0, 2, 3))
    for form in ("onednn", "native"):
        y, dx, dgamma = run(form, x, gamma, g, hybridize)
        np.testing.assert_allclose(y, expected_y, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(dx[x != 0], expected_x[x != 0], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(dgamma, expected_gamma, rtol=1e-5, atol=2e-4)


def test_large_values_stay_finite_and_exact():
    x = np.array([1e-30, -1e-30, 1e25, -1e25], np.float32).reshape(1, 1, 2, 2)
    y, dx, _ = run("onednn", x, np.array([0.5], np.float32), np.ones_like(x), False)
    np.testing.assert_allclose(y.ravel(), [1e-30, -5e-31, 1e25, -5e24], rtol=1e-6)
    np.testing.assert_allclose(dx.ravel(), [1, 0.5, 1, 0.5], rtol=1e-6)


def test_onednn_form_has_only_operators_with_a_onednn_kernel_on_the_images():
    nodes = json.loads(PReLU(8)(mx.sym.var("x")).tojson())["nodes"]
    assert [n["attrs"]["act_type"] for n in nodes if n["op"] == "LeakyReLU"] == ["leaky"]
    on_slopes = {"null", "Reshape", "_minus_scalar", "_mul_scalar"}
    assert {n["op"] for n in nodes} - on_slopes == {"LeakyReLU", "Convolution", "elemwise_add"}


def test_slopes_start_at_a_quarter_and_are_named_gamma():
    block = PReLU(4)
    block.initialize(mx.init.Xavier())
    assert list(block._collect_params_with_prefix()) == ["gamma"]
    assert block.gamma.data().asnumpy().tolist() == [0.25] * 4


def test_form_follows_the_device():
    assert prelu_form("auto", on_gpu=False) == "onednn"
    assert prelu_form("auto", on_gpu=True) == "native"
    assert prelu_form("native", on_gpu=False) == "native"
    with pytest.raises(ConfigError, match="auto, onednn, native"):
        prelu_form("relu", on_gpu=False)
