"""Class centres split over devices, and the loss of embeddings against all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairface.errors import CheckpointError
from fairface.heads.base import Margin
from fairface.heads.classifier import INITIAL_DEVIATION, lengths
from fairface.heads.sharded.batch import WholeBatch, labels_of, whole_batch
from fairface.heads.sharded.cut import cut_classes
from fairface.heads.sharded.loss import Classified, losses_of
from fairface.heads.sharded.matrix import SplitMatrix
from fairface.heads.sharded.sampling import Sampling
from fairface.heads.sharded.shard import ClassShard
from fairface.heads.sharded.store import Store
from fairface.heads.statistics import LENGTH, Statistic
from fairface.mx import Context, NDArray, autograd, gluon, mx, nd
from fairface.parallel import World

WEIGHT = "weight"
ROWS_AT_ONCE = 1 << 16  # of random centres; the numbers do not depend on the devices


class ShardedClassifier(gluon.HybridBlock):
    """The loss of :class:`fairface.heads.classifier.Classifier` with its cross-entropy, with the classes split.

    Every device gets the embeddings of all devices and multiplies them with its own classes; cosines of the targets and
    sums of exponentials, ``(B, 1)`` each, are all that is exchanged. Gradients go back to the device of each embedding.
    The devices are those of one process, or of several that each hold a part of the classes (:meth:`join`).
    Its arrays are no gluon parameters, since none has a copy on every device: what is saved is the whole matrix
    ``weight (C, D)``, as of the other classifier, so either takes up the other's checkpoint.

    Args:
        embedding: D.
        classes: C.
        margin: what becomes of the cosines.
        smoothing: share of the target spread over all classes of the step, 0 to below 1.
        sampling: the classes of a step; None = all.
        store: where centres and momentum are kept; None = in the memory of their devices.
        deviation: of the centres' start values.

    Attributes:
        shards: one for each device of this process, once it is initialised.
        world: the devices of all processes, once it is initialised.
        centres: the whole of the shards, once it is initialised.
        step: the step that the next :meth:`gathered` belongs to; the sample depends on it.
    """

    def __init__(
        self, embedding: int, classes: int, margin: Margin, smoothing: float = 0.0, sampling: Sampling | None = None,
        store: Store | None = None, deviation: float = INITIAL_DEVIATION,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embedding = embedding
        self.classes = classes
        self.margin = margin
        self.smoothing = smoothing
        self.sampling = sampling
        self.store = store or Store()
        self.deviation = deviation
        self.shards: list[ClassShard] = []
        self.world: World | None = None
        self.centres: SplitMatrix | None = None
        self.step = 0
        self._dtype = "float32"

    @property
    def shape(self) -> tuple[int, int]:
        """(C, D)."""
        return self.classes, self.embedding

    @property
    def training_bytes(self) -> int:
        """Memory for centres, gradients and momentum over all devices; what lies in mapped files is not counted."""
        whole = 0 if self.store.is_mapped else 2
        # Of a sample there are copies of centres and momentum, too.
        rows = 1.0 if self.sampling is None else 3 * self.sampling.rate
        return round(self.classes * self.embedding * np.dtype(self._dtype).itemsize * (whole + rows))

    @property
    def statistic(self) -> Statistic | None:
        """What the margin wants to know of whole batches; None = nothing."""
        return self.margin.statistic

    def join(self, world: World) -> None:
        """Split the classes over the devices of several processes; before :meth:`initialize`."""
        self.world = world

    def initialize(self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False) -> None:
        """Random centres, the same for any number of devices; of several processes, rank 0 draws them.

        Raises:
            ConfigError: more devices than classes, or a folder for the arrays that has no room.
        """
        contexts: list[Context] = list(ctx) if isinstance(ctx, (list, tuple)) else [ctx or mx.cpu()]
        world = self.world or World(tuple(contexts))
        own = cut_classes(self.classes, world.devices, self.embedding)[world.rank * len(contexts) :][: len(contexts)]
        self.shards = [
            ClassShard(classes, self.store.zeros((len(classes), self.embedding), context, self._dtype), context)
            for classes, context in zip(own, contexts, strict=True)
        ]
        self.world = world
        self.centres = self.split(WEIGHT, [shard.weight for shard in self.shards])
        for start in range(0, self.classes if world.leads else 0, ROWS_AT_ONCE):
            rows = min(ROWS_AT_ONCE, self.classes - start)
            self.fill(start, nd.random.normal(0, self.deviation, (rows, self.embedding), ctx=mx.cpu()))

    def fill(self, start: int, rows: NDArray) -> None:
        """Set the centres from class ``start`` on to ``rows (n, D)``; see :meth:`SplitMatrix.write`."""
        assert self.centres is not None
        self.centres.write(rows, start)
        self.store.release()

    def split(self, name: str, parts: Sequence[NDArray]) -> SplitMatrix:
        """A matrix (C, D) whose rows lie as the classes do; ``parts`` are this process's, one for each device."""
        assert self.world is not None
        own = [(shard.classes, part) for shard, part in zip(self.shards, parts, strict=True)]
        return SplitMatrix(name, self.shape, own, self.world)

    def cast(self, dtype: str) -> None:
        """Keep and compute in ``dtype``; before :meth:`initialize`."""
        self._dtype = dtype

    def gathered(self, embeddings: Sequence[NDArray], labels: Sequence[NDArray], world: World) -> WholeBatch:
        """Take a step's classes, and bring its batch together before them.

        Args:
            embeddings: each device's ``(b, D)``; gradients flow into them.
            labels: each device's ``(b,)`` int32; -1 = unlabeled.
            world: the devices that the head was initialised on.
        """
        whole = labels_of(labels, world)
        with autograd.pause():
            self.store.release()
            columns = [shard.choose(whole, self.sampling, self.step) for shard in self.shards]
        own = [embedding.astype(self._dtype) for embedding in embeddings]
        return whole_batch(own, whole, self.shards, columns, self.margin, world)

    def measured(self, batch: WholeBatch) -> NDArray:
        """(B,): what the margin's statistic is taken of, see :class:`~fairface.heads.statistics.Statistic`."""
        if self.statistic is not None and self.statistic.of == LENGTH:
            return lengths(nd, batch.rows[0].embedding).reshape((-1,))
        return (batch.targets[0] / self.margin.s).reshape((-1,))

    def losses(self, batch: WholeBatch, statistics: Sequence[Sequence[NDArray]] = ()) -> Classified:
        """The losses of a step.

        Args:
            batch: from :meth:`gathered`.
            statistics: each device's further arguments of the margin, of the whole batch.
        """
        columns: float = self.classes
        if self.sampling is not None and self.smoothing:  # no process is asked where nothing depends on it
            here = sum(len(shard.active) for shard in self.shards)
            columns = float(batch.world.sum(np.array([here], np.float64))[0])
        return losses_of(batch, self.margin, statistics or [()] * len(batch.rows), self.smoothing, columns)

    def arrays(self) -> dict[str, NDArray]:
        """``weight (C, D)`` on the CPU, see :class:`SplitMatrix`; of several workers that all call it, worker 0 alone
        gets it."""
        assert self.centres is not None
        return self.centres.read()

    def set_arrays(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """Take the centres of :meth:`arrays`, or of a classifier that is not split.

        Raises:
            CheckpointError: another number of classes or values, or other arrays; ``source`` names the file.
        """
        assert self.centres is not None
        self.check_arrays(arrays, source)
        for name, rows in self.centres.arrays.items():
            self.fill(rows.start, arrays[name])

    def spread(self) -> None:
        """Give every worker its classes of what worker 0 has."""
        assert self.centres is not None
        self.centres.spread()
        self.store.release()

    def check_arrays(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """What :meth:`set_arrays` refuses; nothing is changed."""
        assert self.centres is not None
        shapes = self.centres.shapes
        if set(arrays) != set(shapes):
            found = ", ".join(sorted(arrays)) or "nothing"
            raise CheckpointError(
                f"{source}: holds {found} for the head, which needs {', '.join(shapes)}; it is of another method"
            )
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise CheckpointError(
                    f"{source}: {name} is {arrays[name].shape}, this head needs {shape} (classes, values of an "
                    "embedding); check the data and backbone.embedding"
                )
