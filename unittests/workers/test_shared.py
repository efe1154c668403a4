"""MXNet's arrays through shared memory: as one array, in pieces, in place on several devices."""

from __future__ import annotations

import numpy as np
import pytest

from fairface.mx import autograd, gluon, mx, nd
from fairface.workers import shared as module
from unittests.workers.together import together


@pytest.fixture
def pieces_of_256(monkeypatch):
    """Vectors need several pieces, the last not whole."""
    monkeypatch.setattr("fairface.workers.windows.PIECE", 256)
    monkeypatch.setattr(module, "PIECE", 256)


@pytest.mark.parametrize("length", [1, 256, 700])
def test_sums_in_pieces(pieces_of_256, length):
    own = [np.random.default_rng(rank).normal(size=length).astype(np.float32) for rank in range(2)]

    def work(world):
        exchange, rank = world.exchange, world.rank
        sent = nd.array(own[rank], ctx=world.contexts[0])
        total = exchange.sum("a", sent)
        copies = [nd.array(own[rank].reshape((length, 1)), ctx=context) for context in world.contexts]
        exchange.sum_in_place("b", copies)
        numbers = exchange.sum_numbers("c", own[rank])
        return sent.asnumpy(), [total.asnumpy(), numbers, *(copy.asnumpy().ravel() for copy in copies)], total.context

    expected = own[0].astype(np.float64) + own[1]
    for rank, (sent, totals, context) in enumerate(together(2, work, devices=2, road="shared")):
        np.testing.assert_array_equal(sent, own[rank])
        assert context == mx.cpu(2 * rank)
        for total in totals:
            np.testing.assert_allclose(total, expected, rtol=1e-6, atol=1e-7)


def test_gradients_in_the_layout_of_a_convolution():
    """oneDNN keeps weights and gradients of convolutions in blocks of channels."""
    images = [np.random.default_rng(rank).normal(size=(2, 16, 9, 9)).astype(np.float32) for rank in range(2)]

    def work(world):
        (context,) = world.contexts
        net = gluon.nn.Conv2D(64, 3, in_channels=16, use_bias=False)
        net.initialize(mx.init.Constant(0.01), ctx=context)
        net.hybridize(static_alloc=True, static_shape=True)
        for _ in range(2):  # the second time from the graph that the first has made
            with autograd.record():
                loss = net(nd.array(images[world.rank], ctx=context)).square().sum()
            loss.backward()
            own = net.weight.grad(context).asnumpy()
            with autograd.record():
                loss = net(nd.array(images[world.rank], ctx=context)).square().sum()
            loss.backward()
            world.exchange.sum_in_place("weight", [net.weight.grad(context)])
        return own, net.weight.grad(context).asnumpy()

    (first, summed), (second, also) = together(2, work, road="shared")
    np.testing.assert_array_equal(summed, first + second)
    np.testing.assert_array_equal(also, summed)
