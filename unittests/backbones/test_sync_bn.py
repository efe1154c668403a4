"""Synchronous BatchNorm of several devices and workers is BatchNorm of the whole batch, and else an ordinary layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.sync_bn import in_lockstep, is_synchronised, synchronise
from fairface.config.schema import BackboneConfig
from fairface.mx import Context, autograd, gluon, mx, nd, nn
from fairface.parallel import World
from fairface.parameters import structural
from fairface.workers.world import Workers
from unittests.workers.together import together

Array = np.ndarray[Any, Any]
EPSILON, MOMENTUM = 1e-3, 0.9


def batch_norm_64(x: Array, upstream: Array, gamma: Array, beta: Array) -> tuple[Array, ...]:
    """Output, gradients of x, gamma and beta, mean and biased variance, channel by channel in double precision."""
    y, dx = np.empty(x.shape), np.empty(x.shape)
    dgamma, dbeta, means, variances = (np.empty(x.shape[1]) for _ in range(4))
    for channel in range(x.shape[1]):
        values, dy = x[:, channel].astype(np.float64), upstream[:, channel].astype(np.float64)
        means[channel], variances[channel] = values.mean(), values.var()
        deviation = np.sqrt(variances[channel] + EPSILON)
        unit = (values - means[channel]) / deviation
        y[:, channel] = gamma[channel] * unit + beta[channel]
        dgamma[channel], dbeta[channel] = (dy * unit).sum(), dy.sum()
        dx[:, channel] = gamma[channel] / deviation * (dy - dy.mean() - unit * (dy * unit).mean())
    return y, dx, dgamma, dbeta, means, variances


@pytest.mark.parametrize("cuts", [(4, 4), (5, 1, 2), (8,)])
@pytest.mark.parametrize("shape", [(3, 4, 5), (16, 3, 3), (16, 1, 1), (6,), (6, 7)])
@pytest.mark.parametrize("scale", [True, False])
def test_one_layer_against_double_precision(cuts: tuple[int, ...], shape: tuple[int, ...], scale: bool) -> None:
    """Values far from 0, since the mean of their squares would drown the variance; devices that differ."""
    rng = np.random.default_rng(sum(cuts) + len(shape))
    channels, rows = shape[0], sum(cuts)
    offsets = 300 + np.arange(rows).reshape((-1, *[1] * len(shape)))
    x = (rng.normal(size=(rows, *shape)) + offsets).astype(np.float32)
    upstream = rng.normal(size=x.shape).astype(np.float32)
    gamma = rng.uniform(0.5, 2, channels) if scale else np.ones(channels)
    beta = rng.normal(size=channels)
    contexts = tuple(mx.cpu(number) for number in range(len(cuts)))
    layer = nn.BatchNorm(momentum=MOMENTUM, epsilon=EPSILON, scale=scale, in_channels=channels)
    layer.initialize(ctx=list(contexts))
    layer.gamma.set_data(nd.array(gamma))
    layer.beta.set_data(nd.array(beta))
    synchronise(layer)
    ends = np.cumsum(cuts)
    inputs = [nd.array(part, ctx=context) for part, context in zip(np.split(x, ends[:-1]), contexts, strict=True)]
    weights = [nd.array(part, ctx=c) for part, c in zip(np.split(upstream, ends[:-1]), contexts, strict=True)]
    for array in inputs:
        array.attach_grad()
    with autograd.record():
        outputs = in_lockstep(layer, inputs, World(contexts))
    autograd.backward(outputs, weights)
    y, dx, dgamma, dbeta, mean, var = batch_norm_64(x, upstream, gamma, beta)
    np.testing.assert_allclose(np.concatenate([array.asnumpy() for array in outputs]), y, atol=2e-4)
    np.testing.assert_allclose(np.concatenate([array.grad.asnumpy() for array in inputs]), dx, atol=2e-4)
    if scale:
        np.testing.assert_allclose(sum(g.asnumpy() for g in layer.gamma.list_grad()), dgamma, atol=2e-3)
    np.testing.assert_allclose(sum(g.asnumpy() for g in layer.beta.list_grad()), dbeta, atol=1e-4)
    for device in range(len(cuts)):
        running = layer.running_mean.list_data()[device].asnumpy(), layer.running_var.list_data()[device].asnumpy()
        np.testing.assert_allclose(running[0], (1 - MOMENTUM) * mean, rtol=1e-5)
        np.testing.assert_allclose(running[1], MOMENTUM + (1 - MOMENTUM) * var, rtol=1e-4)


def made(name: str, contexts: Sequence[Context], sync: bool) -> gluon.HybridBlock:
    with contexts[0]:
        mx.random.seed(5)
        net = build_backbone(BackboneConfig(name=name, embedding=8, width=0.25, dropout=0.0, sync_bn=sync), 32)
        net.initialize(ctx=list(contexts))
        net.hybridize(static_alloc=True, static_shape=True)
        for context in contexts:
            net(nd.zeros((1, 3, 32, 32), ctx=context)).wait_to_read()
    rng = np.random.default_rng(1)
    for key, parameter in structural(net).items():  # start values that depend on no device
        low, high = (0.5, 1.5) if key.endswith(("gamma", "running_var")) else (-0.3, 0.3)
        parameter.set_data(nd.array(rng.uniform(low, high, parameter.shape)))
    return net


def step(net: gluon.HybridBlock, images: Array, upstream: Array, cuts: Sequence[int], world: World) -> list[Array]:
    """Embeddings of one training step on this process's rows; gradients and running statistics are left in ``net``."""
    ends = np.cumsum(cuts)[:-1]
    inputs = [nd.array(x, ctx=c) for x, c in zip(np.split(images, ends), world.contexts, strict=True)]
    weights = [nd.array(x, ctx=c) for x, c in zip(np.split(upstream, ends), world.contexts, strict=True)]
    with autograd.record():
        outputs = in_lockstep(net, inputs, world) if is_synchronised(net) else [net(x) for x in inputs]
    heads = world.joined()
    autograd.backward([*outputs, *heads], [*weights, *map(nd.zeros_like, heads)])
    return [output.asnumpy() for output in outputs]


def gradients(net: gluon.HybridBlock) -> dict[str, Array]:
    learned = {key: one for key, one in structural(net).items() if one.grad_req != "null"}
    return {key: sum(grad.asnumpy().astype(np.float64) for grad in one.list_grad()) for key, one in learned.items()}


def running(net: gluon.HybridBlock) -> dict[str, list[Array]]:
    return {
        key: [data.asnumpy() for data in one.list_data()]
        for key, one in structural(net).items()
        if key.endswith(("running_mean", "running_var"))
    }


def same(found: dict[str, Array], expected: dict[str, Array], share: float) -> None:
    largest = max(np.abs(array).max() for array in expected.values())
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, rtol=0, atol=share * largest, err_msg=key)


@pytest.fixture(scope="module")
def batch() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (10, 3, 32, 32)).astype(np.float32), rng.normal(size=(10, 8)).astype(np.float32)


def test_a_network_on_two_devices_learns_what_one_with_the_whole_batch_does(batch: tuple[Array, Array]) -> None:
    images, upstream = batch
    one, two = [mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]
    whole, split = made("fresnet_tiny", one, sync=False), made("fresnet_tiny", two, sync=True)
    expected = step(whole, images, upstream, [10], World(tuple(one)))
    found = step(split, images, upstream, [7, 3], World(tuple(two)))
    np.testing.assert_allclose(np.concatenate(found), expected[0], atol=1e-4)
    same(gradients(split), gradients(whole), 1e-4)
    for key, (copy,) in running(whole).items():
        first, second = running(split)[key]
        np.testing.assert_array_equal(first, second)
        np.testing.assert_allclose(first, copy, rtol=1e-4, atol=1e-5, err_msg=key)


def test_workers_learn_what_one_device_with_the_whole_batch_does(batch: tuple[Array, Array]) -> None:
    """Two workers with two devices each, rows cut unevenly."""
    images, upstream = batch
    whole = made("fresnet_tiny", [mx.cpu(0)], sync=False)
    expected = step(whole, images, upstream, [10], World((mx.cpu(0),)))[0]
    cuts, parts = [[3, 2], [4, 1]], [slice(0, 5), slice(5, 10)]

    def work(world: Workers) -> tuple[Any, ...]:
        net = made("fresnet_tiny", world.contexts, sync=True)
        rows = parts[world.rank]
        found = step(net, images[rows], upstream[rows], cuts[world.rank], world)
        return np.concatenate(found), gradients(net), running(net)

    workers = together(2, work, devices=2)
    np.testing.assert_allclose(np.concatenate([found for found, _, _ in workers]), expected, atol=1e-4)
    same({key: sum(g[key] for _, g, _ in workers) for key in workers[0][1]}, gradients(whole), 1e-4)
    for _, _, statistics in workers:
        for key, (copy,) in running(whole).items():
            np.testing.assert_allclose(statistics[key][0], copy, rtol=1e-4, atol=1e-5, err_msg=key)


def test_to_everybody_else_it_is_an_ordinary_network(batch: tuple[Array, Array]) -> None:
    """Names, graph, inference and, where layers are frozen or nobody is in lockstep, training too."""
    contexts = [mx.cpu(0), mx.cpu(1)]
    plain, sync = made("fresnet_tiny", contexts, sync=False), made("fresnet_tiny", contexts, sync=True)
    assert (is_synchronised(plain), is_synchronised(sync)) == (False, True)
    assert list(structural(sync)) == list(structural(plain))
    x = nd.array(batch[0])
    step(sync, *batch, [5, 5], World(tuple(contexts)))
    graphs = [net(mx.sym.var("data")).get_internals() for net in (plain, sync)]
    operators = [[node["op"] for node in json.loads(graph.tojson())["nodes"]] for graph in graphs]
    assert operators[0] == operators[1]
    for key, parameter in structural(plain).items():
        parameter.set_data(structural(sync)[key].list_data()[0])
    np.testing.assert_array_equal(plain(x).asnumpy(), sync(x).asnumpy())
    before = running(sync)
    for net in (plain, sync):
        net.apply(lambda layer: layer._kwargs.update(use_global_stats=True) if isinstance(layer, nn.BatchNorm) else 0)
        net._clear_cached_op()
    found = step(sync, *batch, [5, 5], World(tuple(contexts)))
    np.testing.assert_allclose(np.concatenate(found), plain(x).asnumpy(), rtol=1e-3, atol=1e-2)
    for key, copies in running(sync).items():
        np.testing.assert_array_equal(copies, before[key])
