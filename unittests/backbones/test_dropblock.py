import numpy as np
import pytest

from fairface.backbones.dropblock import DropBlock, without_dropblock
from fairface.mx import autograd, mx, nd, nn


def drop(block, x):
    with autograd.train_mode():
        return block(x).asnumpy()


@pytest.mark.parametrize("hybridize", [False, True])
def test_acts_in_training_only_even_if_traced_in_inference(hybridize):
    block = DropBlock(0.3, 8)
    if hybridize:
        block.hybridize(static_alloc=True, static_shape=True)
    x = nd.random.normal(shape=(2, 4, 8, 8))
    np.testing.assert_array_equal(block(x).asnumpy(), x.asnumpy())
    assert (drop(block, x) == 0).any()
    np.testing.assert_array_equal(block(x).asnumpy(), x.asnumpy())


def test_whole_squares_fall_and_the_mean_stays():
    mx.random.seed(1)
    out = drop(DropBlock(0.2, 9), nd.ones((3, 64, 9, 9)))
    np.testing.assert_array_equal(out[1:], out[:-1])  # one mask for the batch
    dropped = out[0] == 0
    assert 0.1 < dropped.mean() < 0.3
    # Every dropped value lies in a dropped 3x3 square that is wholly inside the map.
    squares = np.lib.stride_tricks.sliding_window_view(dropped, (3, 3), axis=(1, 2)).all((3, 4))
    covered = np.zeros_like(dropped)
    for channel, row, column in zip(*np.nonzero(squares), strict=True):
        covered[channel, row : row + 3, column : column + 3] = True
    np.testing.assert_array_equal(covered, dropped)
    kept = out[0][~dropped]
    np.testing.assert_allclose(kept, dropped.size / kept.size, rtol=1e-5)


def test_centres_are_as_frequent_as_the_paper_says():
    mx.random.seed(0)
    gamma = 0.1 * 14**2 / 3**2 / 12**2
    dropped = drop(DropBlock(0.1, 14), nd.ones((1, 20000, 14, 14)))[0] == 0
    # A corner falls only with the one centre that reaches it.
    assert dropped[:, 0, 0].mean() == pytest.approx(gamma, rel=0.25)
    assert dropped[:, 7, 7].mean() == pytest.approx(1 - (1 - gamma) ** 9, rel=0.25)


def test_the_draw_follows_the_seed():
    block, x = DropBlock(0.3, 8), nd.ones((1, 16, 8, 8))
    block.hybridize(static_alloc=True, static_shape=True)
    results = []
    for seed in (5, 5, 6):
        mx.random.seed(seed)
        results.append(drop(block, x))
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).any()


def test_gradient_flows_through_what_is_kept():
    x = nd.random.uniform(1, 2, shape=(2, 8, 6, 6))
    x.attach_grad()
    with autograd.record():
        y = DropBlock(0.4, 6)(x)
    y.backward()
    np.testing.assert_allclose(x.grad.asnumpy() * x.asnumpy(), y.asnumpy(), rtol=1e-5)


@pytest.mark.parametrize("size", [1, 2])
def test_maps_smaller_than_a_square_lose_single_values(size):
    mx.random.seed(0)
    dropped = drop(DropBlock(0.3, size), nd.ones((1, 4000, size, size))) == 0
    assert dropped.mean() == pytest.approx(0.3, rel=0.1)


def test_everything_dropped_gives_zeros_not_nan():
    assert not drop(DropBlock(0.9999, 1), nd.ones((1, 1, 1, 1))).any()


def test_left_out_of_graphs_that_only_infer():
    block = nn.HybridSequential()
    block.add(nn.Activation("relu"), DropBlock(0.5, 4))
    with without_dropblock(block):
        graph = block(mx.sym.var("data")).tojson()
    assert "Dropout" not in graph
    assert "Pooling" not in graph
    assert "Dropout" in block(mx.sym.var("data")).tojson()
