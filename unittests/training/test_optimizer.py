"""The update against numpy, states across processes, clipping, overflow."""

import numpy as np
import pytest

from fairface.config.schema import OptimizerConfig
from fairface.errors import CheckpointError, ConfigError
from fairface.methods.base import ParameterGroup
from fairface.mx import autograd, gluon, mx, nd, nn
from fairface.parallel import World
from fairface.parameters import structural
from fairface.training.optimizer import Optimizer
from fairface.training.updates import Updates

TWO = [mx.cpu(0), mx.cpu(1)]


def dense(contexts: list[mx.context.Context]) -> nn.Dense:
    block = nn.Dense(3, in_units=4)
    block.initialize(mx.init.Constant(0.5), ctx=contexts)
    return block


def make(block: gluon.Block, contexts: list[mx.context.Context], **options: object) -> Updates:
    group = ParameterGroup("all", structural(block), wd_mult=2.0)
    config = OptimizerConfig(**options)  # type: ignore[arg-type]
    return Updates(Optimizer([group], config, contexts, "device"), (), config.clip_norm, World(tuple(contexts)))


def backward(block: gluon.Block, rows: np.ndarray, contexts: list[mx.context.Context]) -> None:
    parts = np.array_split(rows, len(contexts))
    with autograd.record():
        losses = [(block(nd.array(part, ctx=c)) ** 2).sum() for part, c in zip(parts, contexts, strict=True)]
    autograd.backward(losses)


def test_sgd_with_momentum_and_decay_by_hand() -> None:
    block = dense([mx.cpu()])
    optimizer = make(block, [mx.cpu()], lr=0.1, momentum=0.9, weight_decay=0.01)
    rows = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    weight = np.full((3, 4), 0.5)
    bias = np.zeros(3)
    bias[:] = structural(block)["bias"].data().asnumpy()
    velocity = [np.zeros_like(weight), np.zeros_like(bias)]
    for lr in (0.1, 0.05):
        backward(block, rows, [mx.cpu()])
        optimizer.step(lr)
        out = rows @ weight.T + bias
        gradients = [2 * out.T @ rows, 2 * out.sum(0)]
        for k, (value, gradient) in enumerate(zip((weight, bias), gradients, strict=True)):
            velocity[k] = 0.9 * velocity[k] - lr * (gradient + 0.02 * value)
            value += velocity[k]
    np.testing.assert_allclose(structural(block)["weight"].data().asnumpy(), weight, rtol=1e-4)
    np.testing.assert_allclose(structural(block)["bias"].data().asnumpy(), bias, rtol=1e-4)


@pytest.mark.parametrize("name", ["sgd", "nag", "adam"])
def test_two_contexts_update_like_one(name: str) -> None:
    rows = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    results = []
    for contexts in ([mx.cpu(0)], TWO):
        block = dense(contexts)
        optimizer = make(block, contexts, name=name, lr=0.01, clip_norm=1.0)
        for _ in range(3):
            backward(block, rows, contexts)
            optimizer.step(0.01)
        copies = [structural(block)["weight"].data(c).asnumpy() for c in contexts]
        assert all((copy == copies[0]).all() for copy in copies)
        results.append(copies[0])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)


@pytest.mark.parametrize("name", ["sgd", "nag", "adam"])
def test_saved_state_continues_to_the_same_bits(name: str) -> None:
    rows = np.random.default_rng(2).normal(size=(6, 4)).astype(np.float32)
    whole = dense([mx.cpu()])
    optimizer = make(whole, [mx.cpu()], name=name)
    for _ in range(2):
        backward(whole, rows, [mx.cpu()])
        optimizer.step(0.01)
    later = nn.Dense(3, in_units=4)
    later.initialize()
    for key, parameter in structural(later).items():
        parameter.set_data(structural(whole)[key].data())
    group = ParameterGroup("all", structural(later), wd_mult=2.0)
    config = OptimizerConfig(name=name)
    resumed = Updates(Optimizer([group], config, [mx.cpu()], "device", updates=2), (), 0.0, World((mx.cpu(),)))
    resumed.load_state(optimizer.state(), "state")
    for block, rule in ((whole, optimizer), (later, resumed)):
        backward(block, rows, [mx.cpu()])
        rule.step(0.01)
    for key in ("weight", "bias"):
        a, b = (structural(block)[key].data().asnumpy() for block in (whole, later))
        assert (a == b).all()


@pytest.mark.parametrize("name", ["sgd", "nag", "adam"])
def test_state_before_the_first_update_continues_to_the_same_bits(name: str) -> None:
    rows = np.random.default_rng(2).normal(size=(6, 4)).astype(np.float32)
    blocks = dense([mx.cpu()]), dense([mx.cpu()])
    fresh, loaded = (make(block, [mx.cpu()], name=name) for block in blocks)
    state = fresh.state()
    kinds = 2 if name == "adam" else 1  # mean and variance; momentum
    assert sorted(state) == sorted(f"optimizer.{key}.{k}" for key in ("bias", "weight") for k in range(kinds))
    assert not any(array.asnumpy().any() for array in state.values())
    loaded.load_state(state, "state")
    for block, rule in zip(blocks, (fresh, loaded), strict=True):
        for _ in range(2):
            backward(block, rows, [mx.cpu()])
            rule.step(0.01)
    for key in ("weight", "bias"):
        a, b = (structural(block)[key].data().asnumpy() for block in blocks)
        assert (a == b).all()


def test_clipping_bounds_the_step() -> None:
    block = dense([mx.cpu()])
    before = [p.data().asnumpy() for p in structural(block).values()]
    optimizer = make(block, [mx.cpu()], lr=1.0, momentum=0.0, weight_decay=0.0, clip_norm=0.25)
    backward(block, np.full((6, 4), 100, np.float32), [mx.cpu()])
    optimizer.step(1.0)
    moved = [p.data().asnumpy() - old for p, old in zip(structural(block).values(), before, strict=True)]
    assert np.sqrt(sum((part**2).sum() for part in moved)) == pytest.approx(0.25, rel=1e-4)


def test_overflow_updates_nothing() -> None:
    block = dense([mx.cpu()])
    optimizer = make(block, [mx.cpu()])
    backward(block, np.full((6, 4), np.inf, np.float32), [mx.cpu()])
    assert optimizer.step(0.1, 1.0, check_finite=True) is False
    assert (structural(block)["weight"].data().asnumpy() == 0.5).all()


def test_loss_scale_cancels() -> None:
    results = []
    for scale in (1.0, 1024.0):
        block = dense([mx.cpu()])
        optimizer = make(block, [mx.cpu()], clip_norm=0.5)
        with autograd.record():
            loss = (block(nd.ones((2, 4))) ** 2).sum() * scale
        loss.backward()
        optimizer.step(0.1, scale, check_finite=True)
        results.append(structural(block)["weight"].data().asnumpy())
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


def test_missing_state_is_named() -> None:
    optimizer = make(dense([mx.cpu()]), [mx.cpu()])
    with pytest.raises(CheckpointError, match="weight"):
        optimizer.load_state({}, "state-0001.params")


class Rows:
    """Plain gradient descent on a parameter that lies on one device only."""

    name = "rows"
    is_split = False

    def __init__(self, parameter: gluon.Parameter) -> None:
        self.parameters = [parameter]

    def gradients(self) -> list[list[nd.NDArray]]:
        return [self.parameters[0].list_grad()]

    def update(self, lr: float, loss_scale: float) -> None:
        data = self.parameters[0].list_data()[0]
        data -= lr / loss_scale * self.parameters[0].list_grad()[0]

    def state(self) -> dict[str, nd.NDArray]:
        return {}

    def load_state(self, state: object, source: str) -> None:
        return None


def test_the_norm_is_that_of_all_updaters_on_all_devices() -> None:
    """Clipped together: two copies of a block count once, and the other updater's gradient counts too."""
    block, alone = dense(TWO), dense([TWO[1]])
    group = ParameterGroup("all", {"weight": block.weight})
    rule = Optimizer([group], OptimizerConfig(momentum=0.0, weight_decay=0.0), TWO, "device")
    both = Updates(rule, [Rows(alone.weight)], 0.5, World(tuple(TWO)))
    rows = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)
    alone.bias.grad_req = block.bias.grad_req = "null"
    backward(block, rows, TWO)
    with autograd.record():
        loss = (alone(nd.array(rows, ctx=TWO[1])) ** 2).sum()
    loss.backward()
    out = rows @ np.full((4, 3), 0.5)
    gradient = (2 * out.T @ rows).astype(np.float64)
    norm = np.sqrt(2 * (gradient**2).sum())
    both.step(1.0)
    for found in (*(block.weight.data(c) for c in TWO), alone.weight.data(TWO[1])):
        np.testing.assert_allclose(found.asnumpy(), 0.5 - gradient * 0.5 / norm, rtol=1e-5)


def test_a_parameter_that_no_loss_reached_has_gradient_zero() -> None:
    block = dense(TWO)
    optimizer = make(block, TWO, lr=0.1, momentum=0.0, weight_decay=0.0)
    backward(block, np.ones((4, 4), np.float32), TWO)
    optimizer.step(0.1)
    before = structural(block)["weight"].data(TWO[0]).asnumpy()
    with autograd.record():  # the second device has no rows in this step
        loss = (block(nd.ones((1, 4), ctx=TWO[0])) ** 2).sum()
    loss.backward()
    out = before @ np.ones(4) + structural(block)["bias"].data(TWO[0]).asnumpy()
    optimizer.step(0.1)
    for context in TWO:
        found = structural(block)["weight"].data(context).asnumpy()
        np.testing.assert_allclose(found, before - 0.2 * out[:, None], rtol=1e-5)


def test_updaters_have_names_of_their_own() -> None:
    block = dense([mx.cpu()])
    rule = Optimizer([], OptimizerConfig(), [mx.cpu()], "device")
    for name in ("optimizer", "rows.1", ""):
        other = Rows(block.weight)
        other.name = name
        with pytest.raises(ConfigError, match="name"):
            Updates(rule, [other], 0.0, World((mx.cpu(),)))
