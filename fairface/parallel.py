"""Several devices: which ones, a batch cut into parts, arrays brought together across them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.cli import tell
from fairface.data.types import Batch
from fairface.errors import ConfigError, DeviceError
from fairface.hardware import compute_capabilities, without_gpu_code
from fairface.mx import Context, NDArray, mx, nd
from fairface.quantity import quantity


@dataclass
class Shard:
    """One device's part of a batch, rows in the batch's order: source after source.

    Attributes:
        images: ``(b, 3, H, W)`` float32 RGB 0..255.
        labels: ``(b,)`` int32, ``-1`` = unlabeled.
        source: ``(b,)`` int32, the position of each row's source.
        attributes: ``(b, K)`` int32; None where K is 0 (MXNet has no empty arrays).
        extra: each ``(b, ...)`` float32.
        rows: for every source, where its rows stand in this shard.
        batch_rows: B, rows of the whole batch over all devices (and processes): what a mean over the batch divides by.
        source_rows: for every source, its rows in the whole batch.
    """

    images: NDArray
    labels: NDArray
    source: NDArray
    attributes: NDArray | None
    rows: tuple[slice, ...]
    batch_rows: int
    source_rows: tuple[int, ...]
    extra: Mapping[str, NDArray] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """All devices that train together: this process's contexts, and its place among the processes.

    This class joins the devices of one process; :class:`fairface.workers.world.Workers` those of several. What a method
    needs from the rest of the batch it asks here, never from the list of contexts.

    Attributes:
        contexts: this process's devices, the first one leads.
        rank: this process among all, from 0; rank 0 logs, verifies and saves.
        size: number of processes.
    """

    contexts: tuple[Context, ...]
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process logs, verifies and saves."""
        return self.rank == 0

    @property
    def devices(self) -> int:
        """Number of devices of all processes, each with as many as this one."""
        return self.size * len(self.contexts)

    def begin_step(self) -> None:
        """Called before each step: what is brought together is counted from here."""

    def joined(self) -> list[NDArray]:
        """What :meth:`gather`, :meth:`join` and :meth:`add` have recorded in this step and all processes must take
        back, whether or not their own loss depends on it: heads of the backward pass with a gradient of zeros."""
        return []

    def gather(self, arrays: Sequence[NDArray]) -> list[NDArray]:
        """Every device's rows on every device: item c is all arrays joined along axis 0, on the context of
        ``arrays[c]``.

        Copies are recorded by autograd: what any device computes from a row sends its gradient back to that row's
        device.
        """
        return [self.join(arrays, own.context) for own in arrays]

    def join(self, arrays: Sequence[NDArray], context: Context, equal: bool = False) -> NDArray:
        """All devices' arrays joined along axis 0 on one device; recorded by autograd as in :meth:`gather`. ``equal``:
        all processes bring equally many rows, so none needs to ask."""
        if len(arrays) == 1:
            return arrays[0].as_in_context(context)
        return nd.concat(*(array.as_in_context(context) for array in arrays), dim=0)

    def add(self, array: NDArray) -> NDArray:
        """The sum over processes of an array that each of them has in this shape, on its device; recorded by autograd:
        every process's array gets the gradients of all of them."""
        return array

    def sum(self, array: Array[np.floating]) -> Array[np.floating]:
        """The sum over processes of what each has summed over its own devices."""
        return array

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        return flag

    def barrier(self) -> None:
        """Wait until every process is here."""

    def counts(self, own: int) -> list[int]:
        """Every process's number (0 to 2^24), by rank."""
        return [own]

    def texts(self, own: str) -> list[str]:
        """Every process's text, by rank."""
        return [own]

    def of_lead(self, array: NDArray) -> NDArray:
        """Rank 0's values of an array that every process has in this shape; no gradient flows through it."""
        return array

    def all_rows(self, rows: Array[np.float32]) -> Array[np.float32]:
        """Every process's rows (n, D) float32, process after process, bit-identical; some may have none, not all. For
        results: no gradient flows, and it waits."""
        return rows

    def sum_gradients(self, gradients: Sequence[Sequence[NDArray]]) -> None:
        """Replace every gradient by its sum over processes; ``gradients`` are lists of equal copies, one a device."""

    def cut(self, counts: Sequence[int]) -> list[list[slice]]:
        """For each of this process's devices, its rows of every source; ``counts`` are the sources' rows in a whole
        batch. Rows are counted in the part of the batch that this process has (:meth:`rows`).

        Raises:
            ConfigError: a source with fewer rows than devices.
        """
        return cut_sources(counts, len(self.contexts))

    def rows(self, counts: Sequence[int]) -> list[slice]:
        """For every source, which rows of a whole batch this process's devices take."""
        ends = np.cumsum([0, *counts]).tolist()
        return [slice(begin, end) for begin, end in pairwise(ends)]


def contexts_of(devices: str = "", gpus: str = "") -> list[Context]:
    """The contexts that ``devices`` ("cpu0,cpu1", "gpu0") or ``gpus`` ("0,1") name.

    Without either the first GPU that this MXNet has code for, else CPU 0; GPUs that are passed over are named.

    Raises:
        ConfigError: both are given, or one cannot be read, or names a device twice.
        DeviceError: a GPU that is not there, one that MXNet has no code for, or MXNet without CUDA.
    """
    named = named_devices(devices, gpus)
    if not named:
        return [_default()]
    return [_context(kind, number, "gpus" if gpus else "devices") for kind, number in named]


def named_devices(devices: str = "", gpus: str = "") -> list[tuple[str, int]]:
    """Kind (cpu, gpu) and number of each device that the words name, present or not; see :func:`contexts_of`.

    Raises:
        ConfigError: both are given, or one cannot be read, or names a device twice.
    """
    if devices and gpus:
        raise ConfigError("both devices and gpus are set; gpus=0,1 is short for devices=gpu0,gpu1: give one of them")
    names = [f"gpu{part.strip()}" for part in gpus.split(",")] if gpus else []
    names = names or [part.strip() for part in devices.split(",") if devices]
    named = [_read(name, "gpus" if gpus else "devices") for name in names]
    for kind, number in named:
        if named.count((kind, number)) > 1:
            raise ConfigError(f"{kind}{number} is named twice; name every device once")
    return named


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
    tell(f"GPU {number} is skipped: {reason}; {chosen} is used" for number, reason in enumerate(passed))
    return chosen


def _read(name: str, key: str) -> tuple[str, int]:
    match = re.fullmatch(r"(cpu|gpu)\(?(\d{0,4})\)?", name)
    if match is None:
        raise ConfigError(f"{key} names {name!r}; write it as devices=cpu0, devices=gpu0,gpu1 or gpus=0,1")
    return match[1], int(match[2] or 0)


def _context(kind: str, number: int, key: str) -> Context:
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


def shard(batch: Batch, world: World, counts: Sequence[int] = ()) -> list[Shard]:
    """The batch over this process's devices: each source's rows are cut by themselves, in order.

    ``counts`` are the sources' rows in the whole batch, where ``batch`` is this process's part of it.

    Where a source does not divide, some devices get one row more; which ones goes on from source to source, so that no
    device collects the odd rows of all.

    Raises:
        ConfigError: a source with fewer rows than devices.
    """
    counts = list(counts) or np.bincount(batch.source, minlength=1).tolist()
    cuts = world.cut(counts)
    return [_part(batch, rows, counts, context) for rows, context in zip(cuts, world.contexts, strict=True)]


def cut_sources(counts: Sequence[int], devices: int) -> list[list[slice]]:
    """For each device, the rows of every source that it gets; ``counts`` are the sources' rows in a batch.

    Raises:
        ConfigError: a source with fewer rows than devices.
    """
    cuts: list[list[slice]] = [[] for _ in range(devices)]
    start = odd = 0
    for number, count in enumerate(counts):
        if count < devices:
            raise ConfigError(
                f"source {number} has {quantity(count, 'row')} in a batch, which cannot be split over "
                f"{quantity(devices, 'device')}; raise its batch_size or name fewer devices"
            )
        for device in range(devices):
            size = count // devices + ((device - odd) % devices < count % devices)
            cuts[device].append(slice(start, start + size))
            start += size
        odd += count % devices
    return cuts


def _part(batch: Batch, cut: Sequence[slice], counts: Sequence[int], context: Context) -> Shard:
    def rows(values: Array[Any]) -> Array[Any]:
        return values[cut[0]] if len(cut) == 1 else np.concatenate([values[part] for part in cut])

    def move(values: Array[Any], dtype: str) -> NDArray:
        return nd.array(rows(values), ctx=context, dtype=dtype)

    ends = np.cumsum([part.stop - part.start for part in cut]).tolist()
    return Shard(
        images=to_input(rows(batch.images), context),
        labels=move(batch.labels, "int32"),
        source=move(batch.source, "int32"),
        attributes=move(batch.attributes, "int32") if batch.attributes.size else None,
        rows=tuple(slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)),
        batch_rows=sum(counts),
        source_rows=tuple(counts),
        extra={name: move(values, "float32") for name, values in batch.extra.items()},
    )
