"""What a run will take, before it is started: counts, memory, time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fairface.config.schema import OptimizerConfig
from fairface.data.types import Batch
from fairface.heads.classifier import Classifier
from fairface.heads.sharded import ShardedClassifier
from fairface.methods.base import Method
from fairface.mx import autograd, mx, nd
from fairface.parallel import World, shard
from fairface.quantity import quantity
from fairface.training.duration import in_words
from fairface.training.memory import activation_bytes, available_bytes, value_counts, weight_bytes
from fairface.training.plan import Plan
from fairface.training.schedule import learning_rate, steps_of
from fairface.training.setup import Prepared
from fairface.training.start import initialize

PROBE_IMAGES = 8  # per source; enough to time a step, small enough for any machine
GIB = 2**30


def estimate(planned: Plan) -> dict[str, Any]:
    """Counts, bytes and seconds of a run, JSON-ready.

    Time is that of a real training step on a small batch of this run's data, scaled to its batch size; what the data
    loader takes in parallel is not in it. It is None where the devices are not here, or where memory does not suffice
    for the parameters; the total leaves out what a resumed run has done. Memory is parameters with gradients and
    optimizer states plus activations.
    """
    run, devices = planned.run, len(planned.devices)
    config = run.config
    available = None if planned.lacking else available_bytes(run.world.contexts)  # before this takes some itself
    least = weight_bytes(run.method, config.optimizer.name, devices)
    per_step = None
    if planned.lacking or _too_much(run, least, devices, available):
        _initialize_sparingly(run)
    else:
        per_step = _step_seconds(run)
    needed = weight_bytes(run.method, config.optimizer.name, devices)
    needed += activation_bytes(run.method, config.data.image_size, config.batch_size)
    return {
        "run": str(run.folder),
        "devices": list(planned.devices),
        "images": run.images,
        "identities": [source.dataset.num_classes for source in run.method.sources()],
        "steps": run.total,
        "resumed_at_step": planned.step or None,
        "folder_taken": planned.taken or None,
        "epochs": round(run.total / max(s.sampler.steps_per_epoch for s in run.method.sources()), 2),
        **_learning_rates(config.optimizer, run.total),
        "parameters": value_counts(run.method),
        "memory_bytes": needed,
        "memory_bytes_per_device": -(-needed // devices),
        "memory_available_bytes": available,
        "memory_suffices": None if available is None else not _too_much(run, needed, devices, available),
        "step_seconds": None if per_step is None else round(per_step, 3),
        "total_seconds": None if per_step is None else round(per_step * (run.total - planned.step), 1),
        "devices_lacking": planned.lacking or None,
    }


def describe(result: dict[str, Any]) -> str:
    """The estimate as lines for people."""
    parameters = ", ".join(f"{name} {value / 1e6:.2f} M" for name, value in result["parameters"].items())
    (first, last), highest = result["learning_rate_first_last"], result["learning_rate_highest"]
    peak = f", highest {highest:g} at step {result['learning_rate_highest_step']}"
    devices = result["devices"]
    done = f", resumed at step {result['resumed_at_step']}" if result["resumed_at_step"] else ""
    each = f" together, {result['memory_bytes_per_device'] / GIB:.2f} GiB a device" if len(devices) > 1 else ""
    return "\n".join(
        [
            f"data        {quantity(result['images'], 'image')} of {quantity(sum(result['identities']), 'identity')}",
            f"run         {result['run']}, {quantity(result['steps'], 'step')} ({result['epochs']:g} epochs){done}",
            f"lr          {first:g} to {last:g}{peak}",
            f"parameters  {parameters}",
            f"memory      about {result['memory_bytes'] / GIB:.2f} GiB on {', '.join(devices)}{each}",
            f"time        {_time(result)}",
            *_warnings(result),
        ]
    )


def _time(result: dict[str, Any]) -> str:
    in_all = "for what is left" if result["resumed_at_step"] else "in all"
    if result["step_seconds"] is not None:
        return f"about {result['step_seconds']:.3f} s a step, {in_words(result['total_seconds'])} {in_all}"
    return "not measured: " + ("the devices are not here" if result["devices_lacking"] else "memory does not suffice")


def _warnings(result: dict[str, Any]) -> list[str]:
    lines = [f"warning: as typed, the run would not begin: {result['folder_taken']}"] if result["folder_taken"] else []
    if result["devices_lacking"]:
        lines.append(f"note: planned for {', '.join(result['devices'])}, which cannot be used here: "
                     f"{result['devices_lacking']}")  # fmt: skip
    if result["memory_suffices"] is False:
        lines.append(
            f"warning: memory does not suffice: {result['memory_available_bytes'] / GIB:.2f} GiB are available"
            f"{' on the fullest GPU' if result['devices'][0].startswith('gpu') else ''}; "
            "a smaller batch_size or backbone takes less, for many identities head.sharded=true (docs/classifier.md)"
        )
    return lines


def _learning_rates(config: OptimizerConfig, total: int) -> dict[str, Any]:
    """Every schedule rises or falls only, before and after the end of its warm-up."""
    warmup = steps_of(config.warmup, total)
    steps = sorted({step for step in (0, warmup - 1, warmup, total - 1) if 0 <= step < total})
    rates = [learning_rate(config, step, total) for step in steps]
    highest = int(np.argmax(rates))
    return {
        "learning_rate_first_last": [rates[0], rates[-1]],
        "learning_rate_highest": rates[highest],
        "learning_rate_highest_step": steps[highest] + 1,  # as the log counts
    }


def _too_much(run: Prepared, needed: int, devices: int, available: int | None) -> bool:
    """CPU contexts share what is available, each GPU has its own."""
    on_gpu = run.world.contexts[0].device_type == "gpu"
    return available is not None and (needed / devices if on_gpu else needed) > available


def _initialize_sparingly(run: Prepared) -> None:
    """Make the shapes known with one copy in main memory, and none of a classifier, whose shape is known."""
    for block in run.method.blocks().values():
        if not isinstance(block, (ShardedClassifier, Classifier)):
            block.initialize(ctx=[mx.cpu()])
    size = run.config.data.image_size
    run.method.inference()(nd.zeros((1, 3, size, size))).wait_to_read()


def _step_seconds(run: Prepared) -> float:
    """Seconds of a step with the run's batch size."""
    config = run.config
    initialize(run.method, run.world.contexts, config.seed, config.data.image_size)
    run.method.parameter_groups(config.stage)
    run.method.updaters(config.stage)
    probe = probe_batch(run)
    return _timed_step(run.method, probe, run.world) * config.batch_size / len(probe)  # both are cut over the devices


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
