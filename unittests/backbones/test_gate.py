import numpy as np
import pytest

from fairface.backbones.gate import gated, global_average, map_size
from fairface.mx import autograd, nd


@pytest.mark.parametrize("size", [1, 2, 7, 12, 13, 33, 56])
def test_average_of_the_whole_map_with_its_gradient(size):
    x = nd.random.normal(shape=(2, 3, size, size))
    x.attach_grad()
    block = global_average(size)
    with autograd.record():
        y = block(x)
    y.backward(nd.array(np.arange(6).reshape(2, 3, 1, 1)))
    np.testing.assert_allclose(y.asnumpy(), x.asnumpy().astype(float).mean((2, 3), keepdims=True), atol=1e-6)
    expected = np.broadcast_to(np.arange(6).reshape(2, 3, 1, 1) / size**2, x.shape)
    np.testing.assert_allclose(x.grad.asnumpy(), expected, rtol=1e-5)


def test_windows_stay_small_where_the_size_has_small_divisors():
    assert [layer._kwargs["kernel"] for layer in global_average(56)] == [(8, 8), (7, 7)]
    assert [layer._kwargs["kernel"] for layer in global_average(13)] == [(13, 13)]
    assert len(global_average(1)) == 0


@pytest.mark.parametrize("size", [5, None])
def test_product_with_its_gradients(size):
    rng = np.random.default_rng(0)
    x, gate, seed = rng.normal(size=(2, 3, 5, 5)), rng.uniform(size=(2, 3, 1, 1)), rng.normal(size=(2, 3, 5, 5))
    a, b = nd.array(x), nd.array(gate)
    a.attach_grad()
    b.attach_grad()
    with autograd.record():
        y = gated(nd, a, b, 3, size)
    y.backward(nd.array(seed))
    np.testing.assert_allclose(y.asnumpy(), x * gate, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(a.grad.asnumpy(), seed * gate, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(b.grad.asnumpy(), (seed * x).sum((2, 3), keepdims=True), rtol=1e-4, atol=1e-5)


def test_gpus_take_the_plain_operators():
    assert map_size(14, "onednn") == 14
    assert map_size(14, "native") is None
