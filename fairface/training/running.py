"""BatchNorm's running statistics on several devices: each has its own, their mean is what is scored and saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray as Array

from fairface.methods.base import Method
from fairface.mx import NDArray, mx, nd
from fairface.parallel import World
from fairface.parameters import RUNNING, structural


class RunningStatistics:
    """Those of all blocks of a method, over all devices of all workers.

    A step updates them and never reads them. Every device keeps its own for the whole run, and a checkpoint keeps all
    of them: so when a run is scored, saved, or broken off and resumed does not change what it ends with.
    """

    def __init__(self, method: Method, world: World) -> None:
        self.world = world
        self.parameters = {
            (block, name): parameter
            for block, net in method.blocks().items()
            for name, parameter in structural(net).items()
            if name.endswith(RUNNING)
        }

    @contextmanager
    def mean(self) -> Iterator[dict[str, NDArray]]:
        """While it is entered, every device has the mean over all of them; every worker enters it.

        Gives each device's own, ``<block>.<number of the device>.<name>``, on the CPU; none where there is one device.
        """
        if self.world.devices == 1 or not self.parameters:
            yield {}
            return
        own = self._own()
        every = self.world.all_rows(own)
        # In float64 the mean of equal values is that value: a frozen layer stays as it is.
        self._set(np.tile(every.mean(axis=0, dtype=np.float64).astype(np.float32), (len(own), 1)))
        try:
            yield dict(self._named(every))
        finally:
            self._set(own)

    def rows_of(self, saved: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """What :meth:`mean` gave, as the argument of :meth:`load`, which is easier to send; empty where the number of
        devices was another, or the checkpoint is older than these arrays."""
        names = [
            [f"{block}.{number}.{name}" for block, name in self.parameters] for number in range(self.world.devices)
        ]
        if not saved or saved.keys() != {name for row in names for name in row}:
            return {}
        rows = [np.concatenate([saved[name].asnumpy().reshape(-1) for name in row]) for row in names]
        return {"rows": nd.array(np.stack(rows), ctx=mx.cpu())}

    def load(self, rows: Mapping[str, NDArray]) -> None:
        """Give each of this process's devices its own again; nothing where ``rows`` is empty."""
        if rows:
            here = len(self.world.contexts)
            self._set(rows["rows"].asnumpy()[self.world.rank * here : (self.world.rank + 1) * here])

    def _own(self) -> Array[np.float32]:
        """One row for each device of this process."""
        rows = [
            [parameter.list_data()[number].asnumpy().reshape(-1) for parameter in self.parameters.values()]
            for number in range(len(self.world.contexts))
        ]
        return np.stack([np.concatenate(row).astype(np.float32) for row in rows])

    def _parts(self, row: Array[np.float32]) -> list[Array[np.float32]]:
        """One device's row as an array for each parameter."""
        shapes = [parameter.shape for parameter in self.parameters.values()]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        return [part.reshape(shape) for part, shape in zip(np.split(row, ends[:-1]), shapes, strict=True)]

    def _set(self, rows: Array[np.float32]) -> None:
        for number, row in enumerate(rows):
            for parameter, part in zip(self.parameters.values(), self._parts(row), strict=True):
                parameter.list_data()[number][:] = part

    def _named(self, rows: Array[np.float32]) -> Iterator[tuple[str, NDArray]]:
        for number, row in enumerate(rows):
            for (block, name), part in zip(self.parameters, self._parts(row), strict=True):
                yield f"{block}.{number}.{name}", nd.array(part, ctx=mx.cpu())
