"""A matrix whose rows lie on the devices of all processes, read and written as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairface.mx import NDArray, mx, nd
from fairface.parallel import World

VALUES_AT_ONCE = 1 << 22  # that travel between processes: 16 MB, whatever the matrix holds


class SplitMatrix:
    """``(C, D)``, of which every device of every process holds some rows.

    One process reads and writes it at any time. Of several, worker 0 alone does so while a run begins, because it alone
    has the files: it keeps the whole in main memory until :meth:`spread` gives every worker its rows. From then on
    reading brings the rows together on worker 0, and takes every worker.

    Args:
        shape: (C, D).
        parts: this process's rows, each with the array (c, D) that they are.
        world: the devices of all processes.
    """

    def __init__(self, shape: tuple[int, int], parts: Sequence[tuple[range, NDArray]], world: World) -> None:
        self.shape = shape
        self._parts = list(parts)
        self._world = world
        self._is_spread = world.size == 1
        self._given: NDArray | None = None  # on worker 0, while a run begins

    def write(self, rows: NDArray, start: int = 0) -> None:
        """Set the rows from ``start`` on to ``rows (n, D)``; of several workers, what worker 0 writes counts."""
        if self._is_spread:
            self._set(rows, start)
        elif self._world.leads and rows.shape == self.shape:
            self._given = rows
        elif self._world.leads:
            if self._given is None:
                self._given = nd.zeros(self.shape, dtype=rows.dtype)
            self._given[start : start + len(rows)] = rows

    def read(self) -> NDArray | None:
        """The whole on the CPU; None on workers that do not lead, and where nothing was written yet."""
        if not self._is_spread:
            return self._given
        if self._world.size > 1:
            return self._brought_together()
        there = [part.as_in_context(mx.cpu()) for _, part in self._parts]
        return there[0] if len(there) == 1 else nd.concat(*there, dim=0)

    def spread(self) -> None:
        """Give every worker its rows of what worker 0 has; every worker calls it, before the first step."""
        if not self._is_spread and self._world.any(self._given is not None):
            for start, stop in self._blocks():
                if self._given is None:
                    rows = nd.zeros((stop - start, self.shape[1]))
                else:
                    rows = self._given[start:stop].astype("float32")
                self._set(self._world.of_lead(rows), start)
        self._is_spread, self._given = True, None

    def _set(self, rows: NDArray, start: int) -> None:
        stop = start + len(rows)
        for classes, part in self._parts:
            first, last = max(start, classes.start), min(stop, classes.stop)
            if first < last:
                own = rows[first - start : last - start].astype(part.dtype)
                part[first - classes.start : last - classes.start] = own.as_in_context(part.context)

    def _brought_together(self) -> NDArray | None:
        """Every worker brings its rows of a block, and zeros elsewhere; block after block, so that a worker which does
        not lead never has more than one of them."""
        whole = nd.zeros(self.shape, dtype=self._parts[0][1].dtype) if self._world.leads else None
        for start, stop in self._blocks():
            block = nd.zeros((stop - start, self.shape[1]))
            for classes, part in self._parts:
                first, last = max(start, classes.start), min(stop, classes.stop)
                if first < last:
                    own = part[first - classes.start : last - classes.start]
                    block[first - start : last - start] = own.astype("float32").as_in_context(block.context)
            rows = self._world.add(block)
            if whole is not None:
                whole[start:stop] = rows.astype(whole.dtype)
            rows.wait_to_read()
        return whole

    def _blocks(self) -> Iterator[tuple[int, int]]:
        rows = max(1, VALUES_AT_ONCE // self.shape[1])
        for start in range(0, self.shape[0], rows):
            yield start, min(start + rows, self.shape[0])
