"""Several devices in one process: which ones, a batch cut into parts, arrays brought together across them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray as Array

from fairface.cli import tell
from fairface.data.types import Batch
from fairface.errors import ConfigError, DeviceError
from fairface.hardware import compute_capabilities, without_gpu_code
from fairface.mx import Context, NDArray, mx, nd


@dataclass
class Shard:
    """One device's part of a batch, rows in the batch's order.

    ``images (b, 3, H, W)`` float32 RGB 0..255; ``labels (b,)`` int32; ``source (b,)`` int32; ``attributes (b, K)``
    int32 (None where K is 0: MXNet has no empty arrays); ``extra`` each ``(b, ...)`` float32.
    """

    images: NDArray
    labels: NDArray
    source: NDArray
    attributes: NDArray | None
    extra: Mapping[str, NDArray] = field(default_factory=dict)


def contexts_of(devices: str = "", gpus: str = "") -> list[Context]:
    """The contexts that ``devices`` ("cpu0,cpu1", "gpu0") or ``gpus`` ("0,1") name.

    Without either the first GPU that this MXNet has code for, else CPU 0; GPUs that are passed over are named.

    Raises:
        ConfigError: both are given, or one cannot be read, or names a device twice.
        DeviceError: a GPU that is not there, one that MXNet has no code for, or MXNet without CUDA.
    """
    if devices and gpus:
        raise ConfigError("both devices and gpus are set; gpus=0,1 is short for devices=gpu0,gpu1: give one of them")
    names = [f"gpu{part.strip()}" for part in gpus.split(",")] if gpus else []
    names = names or [part.strip() for part in devices.split(",") if devices]
    if not names:
        return [_default()]
    contexts = [_context(name, "gpus" if gpus else "devices") for name in names]
    for context in contexts:
        if contexts.count(context) > 1:
            raise ConfigError(f"{context.device_type}{context.device_id} is named twice; name every device once")
    return contexts


def count_gpus() -> int:
    """GPUs that this MXNet can use; 0 for the CPU package and where the driver does not answer."""
    try:
        return int(mx.context.num_gpus())
    except mx.MXNetError:
        return 0


def _default() -> Context:
    """The first GPU that MXNet has code for, else CPU 0."""
    present = count_gpus()
    capabilities = compute_capabilities() if present else []
    reasons = [without_gpu_code(capability) for capability in capabilities[:present]]
    usable = [number for number in range(present) if not any(reasons[number : number + 1])]
    chosen = mx.gpu(usable[0]) if usable else mx.cpu(0)
    passed = reasons[: usable[0] if usable else present]
    tell(f"GPU {number} is passed over: {reason}; {chosen} is used" for number, reason in enumerate(passed))
    return chosen


def _context(name: str, key: str) -> Context:
    match = re.fullmatch(r"(cpu|gpu)\(?(\d{0,4})\)?", name)
    if match is None:
        raise ConfigError(f"{key} names {name!r}; write it as devices=cpu0, devices=gpu0,gpu1 or gpus=0,1")
    kind, number = match[1], int(match[2] or 0)
    if kind == "cpu":
        return mx.cpu(number)
    capability = next(iter(compute_capabilities()[number : number + 1]), None)
    reason = without_gpu_code(capability) if capability else ""
    if capability and reason:
        had = ".".join(map(str, capability))
        raise DeviceError(f"{key} asks for GPU {number} of compute capability {had}; {reason}: use devices=cpu0")
    if not mx.runtime.Features().is_enabled("CUDA"):
        raise DeviceError(f"{key} asks for GPU {number}, but this MXNet has no CUDA; install the extra cu112")
    present = count_gpus()
    if number >= present:
        has = f"GPUs 0 to {present - 1}" if present else "no GPU that answers (check nvidia-smi)"
        raise DeviceError(f"{key} asks for GPU {number}, but this machine has {has}")
    return mx.gpu(number)


def to_input(images: Array[np.uint8], context: Context) -> NDArray:
    """``(B, H, W, 3)`` uint8 RGB to ``(B, 3, H, W)`` float32 0..255 on the device: the one place where axes change.

    Bytes travel to the device, a quarter of what floats would be.
    """
    return nd.transpose(nd.array(images, ctx=context, dtype="uint8"), axes=(0, 3, 1, 2)).astype("float32")


def shard(batch: Batch, contexts: Sequence[Context]) -> list[Shard]:
    """The batch's rows in order over the devices; where it does not divide, the first devices get one row more.

    Raises:
        ConfigError: fewer rows than devices.
    """
    rows = len(batch)
    if rows < len(contexts):
        raise ConfigError(f"a batch of {rows} cannot be cut over {len(contexts)} devices; raise batch_size")
    sizes = [rows // len(contexts) + (i < rows % len(contexts)) for i in range(len(contexts))]
    shards, start = [], 0
    for size, context in zip(sizes, contexts, strict=True):
        shards.append(_part(batch, slice(start, start + size), context))
        start += size
    return shards


def _part(batch: Batch, rows: slice, context: Context) -> Shard:
    def move(values: Array[np.generic], dtype: str) -> NDArray:
        return nd.array(values[rows], ctx=context, dtype=dtype)

    return Shard(
        images=to_input(batch.images[rows], context),
        labels=move(batch.labels, "int32"),
        source=move(batch.source, "int32"),
        attributes=move(batch.attributes, "int32") if batch.attributes.size else None,
        extra={name: move(values, "float32") for name, values in batch.extra.items()},
    )


def gather(arrays: Sequence[NDArray]) -> list[NDArray]:
    """Every device's rows on every device: item c is all arrays joined along axis 0, on the context of ``arrays[c]``.

    Copies are recorded by autograd: what any device computes from a row sends its gradient back to that row's device.
    """
    return [join(arrays, own.context) for own in arrays]


def join(arrays: Sequence[NDArray], context: Context) -> NDArray:
    """All arrays joined along axis 0 on one device; recorded by autograd as in :func:`gather`."""
    if len(arrays) == 1:
        return arrays[0].as_in_context(context)
    return nd.concat(*(array.as_in_context(context) for array in arrays), dim=0)
