"""The update of parameters of every size, and of none."""

import numpy as np
import pytest

from fairface.config.schema import OptimizerConfig
from fairface.errors import CheckpointError
from fairface.methods.base import ParameterGroup
from fairface.mx import autograd, mx, nd, nn
from fairface.training.optimizer import FUSED_SIZE, Optimizer, as_arrays


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


@pytest.mark.parametrize("sizes", [(FUSED_SIZE - 1, FUSED_SIZE, FUSED_SIZE + 1), (FUSED_SIZE + 5,), (3,), (2, 3) * 40])
def test_parameters_of_every_size_are_updated_once(sizes):
    assert FUSED_SIZE == 16384
    parameters = net_of(*sizes)
    optimizer = optimizer_of(parameters)
    optimizer.gradients()
    optimizer.update(0.1)
    for parameter in parameters.values():
        np.testing.assert_allclose(parameter.data().asnumpy(), 1 - 0.1 * 0.5, rtol=1e-6)
    assert optimizer.updates == 1


def test_what_an_optimizer_of_nothing_does():
    parameters = net_of(3)
    for parameter in parameters.values():
        parameter.grad_req = "null"
    optimizer = optimizer_of(parameters)
    assert (optimizer.names, optimizer.gradients(), optimizer.state()) == ([], [], {})
    optimizer.update(0.1)
    optimizer.load_state({}, "x")
    np.testing.assert_array_equal(parameters["p0"].data().asnumpy(), 1)


def test_groups_have_their_own_rates_and_decay():
    parameters = net_of(2, 2)
    first, second = ({name: p} for name, p in parameters.items())
    groups = [ParameterGroup("a", first, lr_mult=10.0, wd_mult=0.0), ParameterGroup("b", second, wd_mult=2.0)]
    config = OptimizerConfig(name="nag", lr=0.01, momentum=0.0, weight_decay=0.1)
    optimizer = Optimizer(groups, config, [mx.cpu()], "device", updates=7)
    assert (optimizer.names, optimizer.updates) == (["p0", "p1"], 7)
    optimizer.update(0.01, 2.0)
    np.testing.assert_allclose(parameters["p0"].data().asnumpy(), 1 - 0.1 * 0.25, rtol=1e-6)
    np.testing.assert_allclose(parameters["p1"].data().asnumpy(), 1 - 0.01 * (0.25 + 0.2), rtol=1e-6)
    assert optimizer.updates == 8


def test_a_state_of_another_shape_is_refused():
    parameters = net_of(3)
    optimizer = optimizer_of(parameters, momentum=0.9)
    optimizer.update(0.1)
    state = optimizer.state()
    assert list(state) == ["p0.0"]
    for wrong in ({}, {"p0.0": nd.ones((2,))}, {"p0.1": nd.ones((3,))}):
        with pytest.raises(CheckpointError, match=r"a\.params: has no fitting optimizer state for p0; use start_from"):
            optimizer_of(parameters, momentum=0.9).load_state(wrong, "a.params")
    arrays = as_arrays({"count": np.array([2**40 + 1]), "mean": np.array([0.1]), "small": np.float32([1])}, "method.")
    assert {name: (a.dtype, a.asnumpy().tolist()) for name, a in arrays.items()} == {
        "method.count": (np.int64, [2**40 + 1]), "method.mean": (np.float64, [0.1]), "method.small": (np.float32, [1.0])
    }  # fmt: skip
