"""All devices of several processes: the world of :mod:`fairface.parallel` with its second implementation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.mx import Context, NDArray, autograd, nd
from fairface.parallel import World, cut_sources
from fairface.workers.added import Added, added, neutral
from fairface.workers.exchange import Exchange
from fairface.workers.gather import Gather, spread
from fairface.workers.numbers import as_words, from_words, split_doubles
from fairface.workers.pieces import spread_in_pieces
from fairface.workers.recorded import is_recorded

SMALL = 2**14  # values; gradients up to this size travel together, since each message has a cost of its own


@dataclass
class _Step:
    """What a step has brought together so far: numbers name its gathers and sums alike on all workers."""

    numbers: Any = field(default_factory=count)
    joined: list[NDArray] = field(default_factory=list)


@dataclass(frozen=True)
class Workers(World):
    """The devices of all workers, worker after worker; each has as many as the others.

    Every worker makes the same calls in the same order. The order of rows is that of one process with all devices.

    Attributes:
        exchange: joins the processes.
    """

    exchange: Exchange = field(kw_only=True)
    _step: _Step = field(default_factory=_Step, compare=False)

    def begin_step(self) -> None:
        self._step.numbers = count()
        self._step.joined.clear()

    def joined(self) -> list[NDArray]:
        return list(self._step.joined)

    def gather(self, arrays: Sequence[NDArray]) -> list[NDArray]:
        whole = self.join(arrays, arrays[0].context)
        return [whole.as_in_context(own.context) for own in arrays]

    def join(self, arrays: Sequence[NDArray], context: Context, equal: bool = False) -> NDArray:
        rows = super().join(arrays, arrays[0].context)
        name = f"gather{next(self._step.numbers)}"
        counts = [len(rows)] * self.size if equal else self.counts(len(rows))
        if np.issubdtype(rows.dtype, np.integer):
            return self._join_integers(name, rows, counts).as_in_context(context)
        values = rows.astype("float32")  # of float16 and bfloat16 it holds every value
        if autograd.is_recording():
            whole = Gather(self.exchange, name, counts)(values)
            self._take_back(whole)
        else:
            first = sum(counts[: self.rank])
            whole = spread(self.exchange, name, values, slice(first, first + len(rows)), sum(counts))
        return whole.astype(rows.dtype).as_in_context(context)

    def _join_integers(self, name: str, rows: NDArray, counts: Sequence[int]) -> NDArray:
        """Without gradient; a label may be larger than what float32 counts to."""
        values = rows.asnumpy().astype(np.int64)
        words = nd.array(as_words(values).reshape((len(values), -1)))
        first = sum(counts[: self.rank])
        joined = spread(self.exchange, name, words, slice(first, first + len(values)), sum(counts)).asnumpy()
        whole = from_words(joined.reshape(-1), np.int64).reshape((-1, *values.shape[1:]))
        return nd.array(whole, ctx=rows.context, dtype=rows.dtype)

    def add(self, array: NDArray) -> NDArray:
        values = array.astype("float32")
        if autograd.is_recording():
            total = Added(self.exchange, f"sum{next(self._step.numbers)}")(values)
            self._take_back(total)
        else:
            total = added(self.exchange, "sum", values)
        return total.astype(array.dtype)

    def sum(self, array: Array[np.floating]) -> Array[np.floating]:
        values = np.asarray(array, np.float64)
        flat = split_doubles(values.reshape(-1))
        total = self.exchange.sum_numbers("numbers", flat.reshape(-1)).astype(np.float64)
        return total.reshape(flat.shape).sum(axis=0).reshape(values.shape)

    def any(self, flag: bool) -> bool:
        return sum(self.counts(int(flag))) > 0

    def barrier(self) -> None:
        self.counts(0)

    def counts(self, own: int) -> list[int]:
        placed = np.zeros(self.size, np.float32)
        placed[self.rank] = own
        return [int(value) for value in self.exchange.sum_numbers("counts", placed)]

    def texts(self, own: str) -> list[str]:
        content = own.encode()
        lengths = self.counts(len(content))
        if not sum(lengths):
            return [""] * self.size
        ends = np.cumsum(lengths).tolist()
        placed = np.zeros(ends[-1], np.float32)
        placed[ends[self.rank] - len(content) : ends[self.rank]] = np.frombuffer(content, np.uint8)
        whole = self.exchange.sum_numbers("texts", placed).astype(np.uint8).tobytes()
        return [whole[end - length : end].decode() for end, length in zip(ends, lengths, strict=True)]

    def of_lead(self, array: NDArray) -> NDArray:
        values = array.astype("float32")
        brought = values if self.leads else neutral(values.shape, values.context)
        return added(self.exchange, "lead", brought).astype(array.dtype)

    def all_rows(self, rows: Array[np.float32]) -> Array[np.float32]:
        counts = self.counts(len(rows))
        width = max(self.counts(rows.shape[1] if len(rows) else 0))
        first = sum(counts[: self.rank]) * width
        whole = spread_in_pieces(self.exchange, rows.reshape(-1), first, sum(counts) * width)
        return whole.reshape((sum(counts), width))

    def sum_gradients(self, gradients: Sequence[Sequence[NDArray]]) -> None:
        small = [copies for copies in gradients if copies[0].size <= SMALL]
        # The last layer's gradients are there first: they travel while those of earlier layers are still computed.
        for number, copies in reversed(list(enumerate(gradients))):
            if copies[0].size > SMALL:
                self.exchange.sum_in_place(f"gradient{number}", copies)
        if small:
            flat = nd.concat(*(copies[0].reshape((-1,)).astype("float32") for copies in small), dim=0)
            total = self.exchange.sum("gradients", flat)
            begin = 0
            for copies in small:
                part = total[begin : begin + copies[0].size].reshape(copies[0].shape)
                for copy in copies:
                    copy[:] = part.as_in_context(copy.context)
                begin += copies[0].size

    def cut(self, counts: Sequence[int]) -> list[list[slice]]:
        here = len(self.contexts)
        own = cut_sources(counts, self.devices)[self.rank * here : (self.rank + 1) * here]
        begins = np.cumsum([0, *(rows.stop - rows.start for rows in self.rows(counts))]).tolist()
        shifts = [rows.start - begin for rows, begin in zip(own[0], begins, strict=False)]
        return [
            [slice(rows.start - shift, rows.stop - shift) for rows, shift in zip(device, shifts, strict=True)]
            for device in own
        ]

    def rows(self, counts: Sequence[int]) -> list[slice]:
        here = len(self.contexts)
        own = cut_sources(counts, self.devices)[self.rank * here : (self.rank + 1) * here]
        return [slice(first.start, last.stop) for first, last in zip(own[0], own[-1], strict=True)]

    def _take_back(self, brought: NDArray) -> None:
        """Remember what all workers must take back; nothing that leads to no parameter, on any of them."""
        if is_recorded(brought):
            self._step.joined.append(brought)
