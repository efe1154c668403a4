"""Running statistics of whole batches, which some heads take as arguments besides embedding and label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray as Array

from fairface.errors import CheckpointError
from fairface.mx import Context, NDArray, autograd, nd
from fairface.parallel import World

LENGTH, TARGET = "length", "target"


@dataclass(frozen=True)
class Statistic:
    """What a margin wants to know of a whole batch.

    Attributes:
        start: name to value before the first step; the head's further arguments stand in this order.
        of: what is measured of a row: ``LENGTH``, that of its embedding, or ``TARGET``, the cosine of its target.
        move: ``(old values, each (1,); rows (B,); labeled (B,) 1 or 0) -> new values``; a batch that says nothing (no
            labeled row) leaves the old values.
    """

    start: Mapping[str, float]
    of: str
    move: Callable[[Sequence[NDArray], NDArray, NDArray], Sequence[NDArray]]


class RunningStatistics:
    """Keeps a head's statistics between steps, over the rows of all devices.

    The rows come together on the first device, so one device and several give the same values. A step uses the values
    that include its own batch; they are kept when :meth:`commit` says that the step counted.

    Args:
        statistic: what the margin wants; None = nothing.
        measure: ``(embedding (b, D), label (b,)) -> (b,)``, what the statistic is of, computed where the rows are; None
            = the rows come measured, to :meth:`move`.
    """

    def __init__(
        self, statistic: Statistic | None, measure: Callable[[NDArray, NDArray], NDArray] | None = None
    ) -> None:
        self.statistic = statistic
        self.measure = measure
        start = {} if statistic is None else statistic.start
        self._values = {name: nd.full((1,), value) for name, value in start.items()}
        self._next = self._values

    def update(
        self, embeddings: Sequence[NDArray], labels: Sequence[NDArray], world: World
    ) -> list[tuple[NDArray, ...]]:
        """Each device's further arguments for the head; no gradient flows through them, and nothing waits.

        Args:
            embeddings: each device's ``(b, D)``.
            labels: each device's ``(b,)``; rows with label -1 are left out.
            world: the devices of the whole batch.
        """
        contexts = [embedding.context for embedding in embeddings]
        if self.statistic is None:
            return [()] * len(contexts)
        assert self.measure is not None
        with autograd.pause():
            rows = [self.measure(e, y).astype("float32") for e, y in zip(embeddings, labels, strict=True)]
            labeled = world.join([y >= 0 for y in labels], contexts[0])
            values = self.move(world.join(rows, contexts[0]), labeled, contexts)
            return [tuple(v.astype(e.dtype) for v in own) for own, e in zip(values, embeddings, strict=True)]

    def move(self, rows: NDArray, labeled: NDArray, contexts: Sequence[Context]) -> list[tuple[NDArray, ...]]:
        """As :meth:`update`, of a whole batch that was measured: float32 values on each of ``contexts``.

        Args:
            rows: (B,), what the statistic is of.
            labeled: (B,), 1 for rows with a label, else 0.
            contexts: devices of this process.
        """
        if self.statistic is None:
            return [()] * len(contexts)
        with autograd.pause():
            old = [value.as_in_context(rows.context) for value in self._values.values()]
            new = self.statistic.move(old, rows.astype("float32"), labeled.astype("float32"))
            self._next = dict(zip(self._values, new, strict=True))
            return [tuple(value.as_in_context(context) for value in new) for context in contexts]

    def commit(self) -> None:
        """Keep the values of the latest :meth:`update`."""
        self._values = self._next

    def state(self) -> dict[str, Array[np.generic]]:
        """Name to value, (1,) float32."""
        return {name: value.asnumpy() for name, value in self._values.items()}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: a value is missing.
        """
        for name in self._values:
            if name not in state:
                raise CheckpointError(f"the checkpoint has no {name} for the head; it belongs to another head")
        self._values = {name: nd.array(state[name], dtype="float32") for name in self._values}
        self._next = self._values
