"""Every method's losses and gradients on several workers equal those on one device with the whole batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fairface.config.schema import UDAConfig
from fairface.data.types import Batch
from fairface.methods.base import Method, StepOutcome
from fairface.mx import Context, autograd, mx, nd
from fairface.parallel import shard
from fairface.parameters import structural
from fairface.workers.world import Workers
from unittests.methods import test_classify as of_classify
from unittests.methods import test_lpd as of_lpd
from unittests.methods import test_triplet as of_triplet
from unittests.methods import test_uda as of_uda
from unittests.methods import test_virface as of_virface
from unittests.methods.helpers import batch, step
from unittests.workers.together import together

Make = Callable[[list[Context]], Method]
CPU = [mx.cpu(0)]


def part_of(whole: Batch, world: Workers, counts: Sequence[int]) -> Batch:
    """The rows that a worker's loader would make."""
    rows = np.concatenate([np.arange(len(whole))[own] for own in world.rows(counts)])
    values = {name: getattr(whole, name)[rows] for name in ("images", "labels", "source", "attributes", "indices")}
    return Batch(**values, extra={name: column[rows] for name, column in whole.extra.items()})


def on_workers(make: Make, whole: Sequence[Batch], size: int, devices: int) -> list[tuple[dict, dict, dict]]:
    """Numbers, gradients and state after the last of the steps, of every worker."""

    def work(world: Workers) -> tuple[dict, dict, dict]:
        method = make(list(world.contexts))
        for number, rows in enumerate(whole):
            counts = np.bincount(rows.source).tolist()
            mx.random.seed(11)
            world.begin_step()
            with autograd.record():
                report = method.losses(shard(part_of(rows, world, counts), world, counts), world)
                totals = [sum(arrays) for arrays in zip(*report.losses.values(), strict=True)]
            heads = world.joined()
            autograd.backward([*totals, *heads], [*map(nd.ones_like, totals), *map(nd.zeros_like, heads)])
            method.after_step(StepOutcome(number, 0.1, 1.0, True))
        arrays = {**report.losses, **report.metrics}
        own = np.array([sum(float(array.asscalar()) for array in parts) for parts in arrays.values()])
        gradients = {
            f"{name}.{key}": parameter
            for name, block in method.blocks().items()
            for key, parameter in structural(block).items()
        }
        summed = [[sum(p.grad(c).as_in_context(c0) for c in world.contexts) for c0 in world.contexts[:1]]
                  for p in gradients.values()]  # fmt: skip
        world.sum_gradients(summed)
        found = {name: copies[0].asnumpy() for name, copies in zip(gradients, summed, strict=True)}
        return dict(zip(arrays, world.sum(own).tolist(), strict=True)), found, method.state()

    return together(size, work, devices)


def compare(make: Make, whole: Sequence[Batch], size: int, devices: int) -> None:
    one = make(CPU)
    for rows in whole:
        mx.random.seed(11)
        numbers, gradients = step(one, rows, CPU)
    assert any(np.abs(gradient).max() > 1e-3 for gradient in gradients.values())
    for of_worker, gradients_of_worker, state in on_workers(make, whole, size, devices):
        assert of_worker == pytest.approx(numbers, rel=1e-5)
        for key, gradient in gradients.items():
            np.testing.assert_allclose(
                gradients_of_worker[key], gradient, rtol=0, atol=1e-4 * np.abs(gradient).max() + 1e-9
            )
        assert state.keys() == one.state().keys()
        for key, value in one.state().items():
            np.testing.assert_allclose(state[key], value, rtol=1e-5)


@pytest.mark.parametrize(("size", "devices"), [(2, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("head", ["cosface", "adaface"])
def test_classify(head: str, size: int, devices: int) -> None:
    rows = [batch(of_classify.source(), number, unlabeled) for number, unlabeled in enumerate([(), (0, 5)])]
    compare(lambda contexts: of_classify.method(head, contexts), rows, size, devices)


@pytest.mark.parametrize("make", [of_triplet.triplet, of_triplet.fused])
def test_triplets(make: Make) -> None:
    compare(make, [batch(of_triplet.source(), number, (4,)) for number in range(2)], 2, 2)


def test_lpd() -> None:
    data = [of_lpd.rows(of_lpd.method(CPU), number) for number in range(2)]
    compare(lambda contexts: of_lpd.method(contexts, name="adaface"), data, 2, 1)


@pytest.mark.parametrize("mean", ["batch", "labeled"])
def test_uda_with_two_branches(mean: str) -> None:
    options = UDAConfig(masked_weight=0.4, normal_weight=0.7, mean=mean)
    compare(lambda contexts: of_uda._method(options, contexts), [of_uda._batch()], 2, 1)


@pytest.mark.parametrize("options", ["paper", "instances stay", "centres fixed", "released"])
@pytest.mark.parametrize("stage", ["generator", "virclass", "virface"])
def test_virface(stage: str, options: str) -> None:
    chosen = dataclasses.replace(of_virface.SMALL, **of_virface.OPTIONS[options])
    rows = of_virface.batch(unlabeled=0 if stage == "generator" else 5)
    compare(lambda contexts: of_virface.method(stage, contexts, chosen), [rows], 2, 1)
