"""Several updaters as one: clipped together, applied or skipped."""

import math

import numpy as np
import pytest

from fairface.config.schema import OptimizerConfig
from fairface.errors import ConfigError
from fairface.methods.base import ParameterGroup
from fairface.mx import autograd, mx, nd, nn
from fairface.parallel import World
from fairface.training.optimizer import Optimizer
from fairface.training.updates import Updates, clip
from unittests.workers.together import together


def net_of(*sizes):
    """Parameters of these many values, all one, with gradients of a half."""
    block = nn.HybridSequential()
    for number, size in enumerate(sizes):
        block.params.get(f"p{number}", shape=(size,), init="ones")
    block.initialize()
    parameters = {name.rsplit("_", 1)[-1]: p for name, p in block.params.items()}
    with autograd.record():
        loss = sum((p.data() * 0.5).sum() for p in parameters.values())
    loss.backward()
    return parameters


def optimizer_of(parameters, **options):
    config = OptimizerConfig(**{"name": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, **options})
    return Optimizer([ParameterGroup("all", parameters)], config, [mx.cpu()], "device")


@pytest.mark.parametrize(("largest", "factor"), [(2.0, 0.4), (5.0, 1.0), (100.0, 1.0), (0.5, 0.1)])
def test_gradients_are_scaled_to_the_largest_norm_on_every_device(largest, factor):
    values = [np.array([[3.0]]), np.array([0.0, 4.0])]  # norm 5
    gradients = [[nd.array(value, ctx=mx.cpu(c)) for c in range(2)] for value in values]
    gradients[1] = gradients[1][1:]  # of one device only
    clip(gradients, largest)
    for value, copies in zip(values, gradients, strict=True):
        for copy in copies:
            np.testing.assert_allclose(copy.asnumpy(), value * factor, rtol=1e-6)
    clip([], 1.0)
    zero = nd.zeros((2,))
    clip([[zero]], 1.0)
    assert zero.asnumpy().tolist() == [0.0, 0.0]


class Named:
    """An updater that remembers what it is told."""

    is_split = False

    def __init__(self, name, gradient=1.0, device=0):
        self.name, self.parameters, self.told = name, [], []
        self.array = nd.array([gradient], ctx=mx.cpu(device))

    def gradients(self):
        return [[self.array]]

    def update(self, lr, loss_scale):
        self.told.append((lr, loss_scale, float(self.array.asscalar())))

    def state(self):
        return {"x": self.array}

    def load_state(self, state, source):
        self.told.append((dict(state), source))


def updates_of(*others, clip_norm=0.0):
    parameters = net_of(1)
    return Updates(optimizer_of(parameters), others, clip_norm, World((mx.cpu(),)))


@pytest.mark.parametrize("names", [("a", "a"), ("optimizer",), ("a.b",), ("",)])
def test_updaters_are_told_apart_by_their_names(names):
    with pytest.raises(ConfigError) as caught:
        updates_of(*map(Named, names))
    said = f"updaters are named optimizer, {', '.join(names)}; each needs a name of its own without a dot"
    assert str(caught.value) == said


def test_a_step_of_several_updaters():
    other = Named("other", 6.0)
    together = updates_of(other, clip_norm=1.0)
    assert together.step(0.2, 4.0)
    norm = math.hypot(6, 0.5)
    assert other.told == [(0.2, 4.0, pytest.approx(6 * 4 / norm, rel=1e-5))]  # the norm is that of scaled gradients
    assert updates_of(other).step(0.2)
    assert other.told[-1][:2] == (0.2, 1.0)
    together.load_state({"other.x": other.array, "others.x": other.array, "optimizer.y": other.array}, "file")
    assert other.told[-1] == ({"x": other.array}, "file")
    assert set(together.state()) == {"other.x"}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_updater_acts_where_one_gradient_is_not_finite(place, value):
    others = [Named("a", value if place == 0 else 1.0), Named("b", value if place else 1.0, 1)]
    together = updates_of(*others)
    assert not together.step(0.1, 1.0, check_finite=True)
    assert [other.told for other in others] == [[], []]
    assert together.step(0.1, 1.0)  # nobody looked
    fine = Named("a")
    assert updates_of(fine).step(0.1, 1.0, check_finite=True)
    assert len(fine.told) == 1


def test_split_gradients_are_clipped_by_the_common_norm_and_not_added_up_over_workers():
    """Copied gradients add up to 3 and 4 over two workers; each worker has one split gradient of its own, 12 or 84: the
    norm of (3, 4, 12, 84) is 85."""

    def work(world):
        first, second = Named("first", 1.0 + world.rank), Named("second", 2.0)
        split = Named("split", (12.0, 84.0)[world.rank])
        split.is_split = True
        Updates(optimizer_of({}), [first, split, second], 8.5, world).step(0.1)
        return [updater.told[0][2] for updater in (first, second, split)]

    for found, own in zip(together(2, work), (12, 84), strict=True):
        np.testing.assert_allclose(found, [0.3, 0.4, own / 10], rtol=1e-6)


def test_what_is_split_is_read_on_every_worker_and_the_rest_on_worker_0():
    def work(world):
        copied, split = Named("copied"), Named("split")
        split.is_split = True
        return sorted(Updates(optimizer_of({}), [copied, split], 0.0, world).state())

    assert together(2, work) == [["copied.x", "split.x"], ["split.x"]]
