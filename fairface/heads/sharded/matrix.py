"""A matrix whose rows lie on the devices of all processes, read and written as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairface.heads.sharded.cut import LARGEST_ARRAY
from fairface.mx import NDArray, mx, nd
from fairface.parallel import World
from fairface.workers.added import neutral

VALUES_AT_ONCE = 1 << 22  # that travel between processes: 16 MB, whatever the matrix holds


class SplitMatrix:
    """``(C, D)``, of which every device of every process holds some rows.

    It is saved whole: as one array, or where MXNet has none of that size as several, which depend on C and D alone.

    One process reads and writes it at any time. Of several, worker 0 alone does so while a run begins, because it alone
    has the files: it keeps the whole in main memory until :meth:`spread` gives every worker its rows. From then on
    reading brings the rows together on worker 0, and takes every worker.

    Args:
        name: of what is saved; several arrays are ``name.0``, ``name.1`` and so on.
        shape: (C, D).
        parts: this process's rows, each with the array (c, D) that they are.
        world: the devices of all processes.

    Attributes:
        arrays: for each array that is saved, by name, its rows.
    """

    def __init__(self, name: str, shape: tuple[int, int], parts: Sequence[tuple[range, NDArray]], world: World) -> None:
        self.shape = shape
        self.arrays = _saved_as(name, shape)
        self._parts = list(parts)
        self._world = world
        self._is_spread = world.size == 1
        self._given: dict[str, NDArray] = {}  # on worker 0, while a run begins

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Of the arrays that are saved, by name."""
        return {name: (len(rows), self.shape[1]) for name, rows in self.arrays.items()}

    def write(self, rows: NDArray, start: int = 0) -> None:
        """Set the rows from ``start`` on to ``rows (n, D)``; of several workers, what worker 0 writes counts."""
        if self._is_spread:
            self._set(rows, start)
        elif self._world.leads:
            self._keep(rows, start)

    def read(self) -> dict[str, NDArray]:
        """The whole on the CPU, by name; nothing on workers that do not lead."""
        if not self._is_spread:
            return dict(self._given)
        found = {name: self._brought_together(own) if self._world.size > 1 else self._joined(own)
                 for name, own in self.arrays.items()}  # fmt: skip
        return {name: array for name, array in found.items() if array is not None}

    def spread(self) -> None:
        """Give every worker its rows of what worker 0 has; every worker calls it, before the first step."""
        if not self._is_spread and self._world.any(bool(self._given)):
            for name, own in self.arrays.items():
                for start, stop in self._blocks(own):
                    if self._world.leads:
                        rows = self._given[name][start - own.start : stop - own.start].astype("float32")
                    else:
                        rows = nd.zeros((stop - start, self.shape[1]))
                    brought = self._world.of_lead(rows)
                    self._set(brought, start)
                    brought.wait_to_read()  # MXNet would make room for all blocks before the first has come
        self._is_spread, self._given = True, {}

    def _keep(self, rows: NDArray, start: int) -> None:
        for name, own in self.arrays.items():
            first, last = max(start, own.start), min(start + len(rows), own.stop)
            if first >= last:
                continue
            part = rows[first - start : last - start]
            if len(part) == len(own):
                self._given[name] = part
                continue
            if name not in self._given:
                self._given[name] = nd.zeros((len(own), self.shape[1]), dtype=rows.dtype)
            self._given[name][first - own.start : last - own.start] = part

    def _set(self, rows: NDArray, start: int) -> None:
        for classes, part in self._parts:
            first, last = max(start, classes.start), min(start + len(rows), classes.stop)
            if first < last:
                own = rows[first - start : last - start].astype(part.dtype)
                part[first - classes.start : last - classes.start] = own.as_in_context(part.context)

    def _here(self, rows: range) -> Iterator[tuple[int, NDArray]]:
        """What of ``rows`` this process has, each with the row that it begins with."""
        for classes, part in self._parts:
            first, last = max(rows.start, classes.start), min(rows.stop, classes.stop)
            if first < last:
                yield first, part[first - classes.start : last - classes.start]

    def _joined(self, rows: range) -> NDArray:
        there = [part.as_in_context(mx.cpu()) for _, part in self._here(rows)]
        return there[0] if len(there) == 1 else nd.concat(*there, dim=0)

    def _brought_together(self, rows: range) -> NDArray | None:
        """Every worker brings its rows of a block, and -0.0 elsewhere; block after block, so that a worker which does
        not lead never has more than one of them."""
        dtype = self._parts[0][1].dtype
        whole = nd.zeros((len(rows), self.shape[1]), dtype=dtype) if self._world.leads else None
        for start, stop in self._blocks(rows):
            block = neutral((stop - start, self.shape[1]), mx.cpu())
            for first, part in self._here(range(start, stop)):
                own = part.astype("float32").as_in_context(block.context)
                block[first - start : first - start + len(own)] = own
            brought = self._world.add(block)
            if whole is not None:
                whole[start - rows.start : stop - rows.start] = brought.astype(dtype)
            brought.wait_to_read()
        return whole

    def _blocks(self, rows: range) -> Iterator[tuple[int, int]]:
        most = max(1, VALUES_AT_ONCE // self.shape[1])
        for start in range(rows.start, rows.stop, most):
            yield start, min(start + most, rows.stop)


def _saved_as(name: str, shape: tuple[int, int]) -> dict[str, range]:
    most = LARGEST_ARRAY // shape[1]
    cut = [range(start, min(start + most, shape[0])) for start in range(0, shape[0], most)]
    return {f"{name}.{number}" if len(cut) > 1 else name: rows for number, rows in enumerate(cut)}
