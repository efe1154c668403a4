"""What a run will take, before it is started: counts, memory, time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fairface.data.types import Batch
from fairface.heads.sharded import ShardedClassifier
from fairface.methods.base import Method
from fairface.mx import autograd, mx
from fairface.parallel import World, shard
from fairface.parameters import RUNNING, structural
from fairface.training.schedule import learning_rate
from fairface.training.setup import Prepared
from fairface.training.start import initialize

PROBE_IMAGES = 8  # per source; enough to time a step, small enough for any machine
COPIES = {"sgd": 3, "nag": 3, "adam": 4}  # weight, gradient, optimizer states


def estimate(run: Prepared) -> dict[str, Any]:
    """Counts, bytes and seconds of a run, JSON-ready.

    Time is that of a real training step on a small batch of this run's data, scaled to its batch size; what the data
    loader takes in parallel is not in it. Memory is parameters with gradients and optimizer states plus activations.
    """
    config = run.config
    initialize(run.method, run.world.contexts, config.seed, config.data.image_size)
    parameters = {name: _values(block) for name, block in run.method.blocks().items()}
    run.method.parameter_groups(config.stage)
    run.method.updaters(config.stage)
    probe = probe_batch(run)
    seconds = _timed_step(run.method, probe, run.world)
    per_step = seconds * config.batch_size / len(probe)  # both batches are cut over the devices
    activations = _activation_values(run) * 4 * 2 * config.batch_size
    split = {name: block for name, block in run.method.blocks().items() if isinstance(block, ShardedClassifier)}
    copied = sum(values for name, values in parameters.items() if name not in split)
    weights = copied * 4 * COPIES[config.optimizer.name] * len(run.world.contexts)
    weights += sum(block.training_bytes for block in split.values())
    return {
        "run": str(run.folder),
        "devices": [str(context) for context in run.world.contexts],
        "images": run.images,
        "identities": [source.dataset.num_classes for source in run.method.sources()],
        "steps": run.total,
        "epochs": round(run.total / max(s.sampler.steps_per_epoch for s in run.method.sources()), 2),
        "learning_rate_first_last": [
            learning_rate(config.optimizer, 0, run.total),
            learning_rate(config.optimizer, run.total - 1, run.total),
        ],
        "parameters": parameters,
        "memory_bytes": int(weights + activations),
        "step_seconds": round(per_step, 3),
        "total_seconds": round(per_step * run.total, 1),
    }


def describe(result: dict[str, Any]) -> str:
    """The estimate as lines for people."""
    hours = result["total_seconds"] / 3600
    parameters = ", ".join(f"{name} {value / 1e6:.2f} M" for name, value in result["parameters"].items())
    first, last = result["learning_rate_first_last"]
    return "\n".join(
        [
            f"data        {result['images']} images of {sum(result['identities'])} identities",
            f"run         {result['run']}, {result['steps']} steps ({result['epochs']:g} epochs)",
            f"lr          {first:g} to {last:g}",
            f"parameters  {parameters}",
            f"memory      about {result['memory_bytes'] / 2**30:.2f} GiB on {', '.join(result['devices'])} together",
            f"time        about {result['step_seconds']:.3f} s a step, {hours:.2f} h in all",
        ]
    )


def probe_batch(run: Prepared) -> Batch:
    """A few real images of every source, as one batch."""
    batch = run.loader.batch(0)
    each = max(PROBE_IMAGES, len(run.world.contexts))  # every device wants at least one image of a source
    rows: list[int] = []
    for number in range(len(run.method.sources())):
        rows.extend(np.flatnonzero(batch.source == number)[:each])
    return Batch(
        batch.images[rows],
        batch.labels[rows],
        batch.source[rows],
        batch.attributes[rows],
        batch.indices[rows],
        {name: array[rows] for name, array in batch.extra.items()},
    )


def _timed_step(method: Method, batch: Batch, world: World) -> float:
    times = []
    for _ in range(2):  # the first one also sets up memory and kernels
        began = time.monotonic()
        with autograd.record():
            report = method.losses(shard(batch, world), world)
            totals = [sum(arrays[1:], arrays[0]) for arrays in zip(*report.losses.values(), strict=True)]
        autograd.backward(totals)
        mx.nd.waitall()
        times.append(time.monotonic() - began)
    return min(times)


def _values(block: Any) -> int:
    if isinstance(block, ShardedClassifier):
        return block.classes * block.embedding
    return sum(int(np.prod(p.shape)) for name, p in structural(block).items() if not name.endswith(RUNNING))


def _activation_values(run: Prepared) -> int:
    """Values in all layers' outputs for one image, from the inference block's graph."""
    size = run.config.data.image_size
    symbol = run.method.inference()(mx.sym.var("data")).get_internals()
    outputs = [name for name in symbol.list_outputs() if name.endswith("_output")]
    _, shapes, _ = symbol.infer_shape(data=(1, 3, size, size))
    known = dict(zip(symbol.list_outputs(), shapes, strict=True))
    return sum(int(np.prod(known[name])) for name in outputs)
