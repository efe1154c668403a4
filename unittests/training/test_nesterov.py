"""A weight lies in memory as oneDNN pleases; the update must not depend on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.config.schema import OptimizerConfig
from fairface.methods.base import ParameterGroup
from fairface.mx import NDArray, autograd, mx, nd, nn
from fairface.parameters import structural
from fairface.training.optimizer import FUSED_SIZE, Optimizer
from fairface.training.run import train
from unittests.faults.helpers import bits
from unittests.training.helpers import SIZE, make_people, tiny_config

LR, DECAY, MOMENTUM = 0.05, 0.1, 0.9
SHAPES = [(16, 3), (64, 64)]  # channels out and in of a 3 x 3 convolution; the second is updated by a call of its own


def convolve(weight: NDArray) -> None:
    """Inference: oneDNN puts the weight into the layout that its convolution wants."""
    filters, channels, *kernel = weight.shape
    images = nd.ones((4, channels, SIZE, SIZE))
    nd.Convolution(images, weight, no_bias=True, kernel=kernel, num_filter=filters).wait_to_read()
    nd.waitall()


def random(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def updated(rule: OptimizerConfig, filters: int, channels: int, inference: bool) -> dict[str, bytes]:
    """Weight and state after two updates, with an inference before each or without."""
    block = nn.Conv2D(filters, 3, in_channels=channels, use_bias=False)
    block.initialize()
    weight = block.weight
    weight.set_data(nd.array(random(weight.shape, 0)))
    optimizer = Optimizer([ParameterGroup("all", structural(block))], rule, [mx.cpu()], "device")
    for step in (1, 2):
        with autograd.record():
            loss = (weight.data() * nd.array(random(weight.shape, step))).sum()
        loss.backward()
        nd.waitall()
        if inference:
            convolve(weight.data())
        optimizer.gradients()
        optimizer.update(LR)
    arrays = {"weight": weight.data(), **optimizer.state()}
    return {name: array.asnumpy().tobytes() for name, array in arrays.items()}


@pytest.fixture(scope="module", autouse=True)
def _layouts() -> None:
    """MXNet's own operator tells a weight in another layout by its result; where it does not, nothing is tried here."""
    found = []
    for inference in (False, True):
        weight, gradient, momentum = (nd.array(random((16, 3, 3, 3), seed)) for seed in range(3))
        if inference:
            convolve(weight)
        nd.nag_mom_update(weight, gradient, momentum, out=weight, lr=LR, wd=DECAY, momentum=MOMENTUM)
        found.append(momentum.asnumpy())
    if np.allclose(*found, rtol=1e-4):
        pytest.skip("this processor's convolutions take weights as they are")


@pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
@pytest.mark.parametrize("name", ["sgd", "nag", "adam"])
@pytest.mark.parametrize(("filters", "channels"), SHAPES)
def test_an_update_has_the_same_bits_in_every_layout(name: str, filters: int, channels: int, momentum: float) -> None:
    assert 16 * 3 * 9 <= FUSED_SIZE < 64 * 64 * 9
    rule = OptimizerConfig(name=name, lr=LR, momentum=momentum, weight_decay=DECAY)
    assert updated(rule, filters, channels, inference=True) == updated(rule, filters, channels, inference=False)


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize(("filters", "channels"), SHAPES)
def test_nag_equals_float64_with_the_decay_of_the_old_weight(filters: int, channels: int, inference: bool) -> None:
    rule = OptimizerConfig(name="nag", lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
    found = updated(rule, filters, channels, inference)
    shape = (filters, channels, 3, 3)
    weight, mean = random(shape, 0).astype(np.float64), np.zeros(shape)
    for step in (1, 2):  # as Nesterov's paper has it: the sum of gradients, then the look ahead
        gradient = random(shape, step) + DECAY * weight
        mean = MOMENTUM * mean + gradient
        weight = weight - LR * (gradient + MOMENTUM * mean)
    for name, wanted in (("weight", weight), ("weight.0", -LR * mean)):
        np.testing.assert_allclose(np.frombuffer(found[name], np.float32), wanted.ravel(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "nag", "adam"])
def test_a_run_ends_in_the_same_bits_whatever_layout_its_updates_find(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When oneDNN changes a layout back is a matter of time on a busy machine; here inference forces it."""
    people = make_people(tmp_path / "people")
    gradients = Optimizer.gradients

    def after_inference(self: Optimizer) -> list[list[NDArray]]:
        for parameter in self.parameters:
            if len(parameter.shape) == 4:
                convolve(parameter.data())
        return gradients(self)

    ends = []
    for kind, before_update in (("plain", gradients), ("blocked", after_inference)):
        monkeypatch.setattr(Optimizer, "gradients", before_update)
        config = tiny_config(tmp_path / kind, people, f"optimizer.name={name}", "verify.sets=", "steps=3")
        assert train(config, quiet=True) == 0
        ends.append(bits(Path(config.output) / config.name))
    assert ends[0] == ends[1]
