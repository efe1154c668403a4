"""A net without BatchNorm, so that one device and several compute the same, and batches for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fairface.data.array import ArrayDataset
from fairface.data.loading.pk_sampler import PKSampler
from fairface.data.loading.source import Source
from fairface.data.types import Batch
from fairface.methods.base import Method, StepOutcome
from fairface.mx import Context, autograd, gluon, nn
from fairface.parallel import World, shard
from fairface.parameters import structural

SIZE, EMBEDDING, CLASSES = 6, 8, 5


class Flat(gluon.HybridBlock):
    """``(B, 3, 6, 6)`` to ``(B, 8)`` through one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Dense(EMBEDDING, in_units=3 * SIZE * SIZE)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.dense(F.flatten(x) * (1 / 255.0) - 0.5)


def source(images_per_class: int = 3, classes: int = 4) -> Source:
    """Random images, five people with four images each; batches of P x K."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES, dtype=np.int32), 4)
    dataset = ArrayDataset(rng.integers(0, 256, (len(labels), SIZE, SIZE, 3), dtype=np.uint8), labels)
    batch_size = images_per_class * classes
    return Source(dataset, batch_size, PKSampler(labels, batch_size, images_per_class, seed=0))


def batch(data: Source, step: int, unlabeled: tuple[int, ...] = ()) -> Batch:
    """The batch of ``step``, with some rows' labels taken away."""
    indices = data.sampler.batch(step)
    labels = data.dataset.labels[indices].copy()
    labels[list(unlabeled)] = -1
    images = np.stack([data.dataset[int(i)].image for i in indices])
    rows = len(indices)
    return Batch(
        images=images,
        labels=labels,
        source=np.zeros(rows, np.int16),
        attributes=np.zeros((rows, 0), np.int8),
        indices=indices,
        extra={},
    )


def start(method: Method, contexts: list[Context]) -> None:
    """Parameters on every context, the same for every method of these blocks."""
    rng = np.random.default_rng(3)
    for block in method.blocks().values():
        block.initialize(ctx=contexts)
        block.hybridize()
        for parameter in structural(block).values():
            parameter.set_data(rng.normal(0, 0.3, parameter.shape))


def step(method: Method, rows: Batch, contexts: list[Context]) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """One step without an update: every number of the report summed over devices, and every gradient."""
    with autograd.record():
        world = World(tuple(contexts))
        report = method.losses(shard(rows, world), world)
        totals = [sum(arrays) for arrays in zip(*report.losses.values(), strict=True)]
    autograd.backward(totals)
    method.after_step(StepOutcome(0, 0.1, 1.0, True))
    numbers = {
        name: sum(float(array.asscalar()) for array in arrays)
        for name, arrays in {**report.losses, **report.metrics}.items()
    }
    gradients = {
        f"{name}.{key}": sum(parameter.grad(c).asnumpy() for c in contexts)
        for name, block in method.blocks().items()
        for key, parameter in structural(block).items()
    }
    return numbers, gradients
