"""Class centres split over devices, and the loss of embeddings against all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.errors import CheckpointError
from fairface.heads.base import Margin, Target
from fairface.heads.classifier import INITIAL_DEVIATION, lengths
from fairface.heads.sharded.cut import cut_classes
from fairface.heads.sharded.rows import BatchRows, is_correct, mask_of
from fairface.heads.sharded.sampling import Sampling
from fairface.heads.sharded.shard import ClassShard
from fairface.heads.sharded.softmax import Part, add, cross_entropy, part_of
from fairface.heads.sharded.store import Store
from fairface.heads.statistics import LENGTH, Statistic
from fairface.mx import Context, NDArray, autograd, gluon, mx, nd
from fairface.parallel import World

ROWS_AT_ONCE = 1 << 16  # of random centres; the numbers do not depend on the devices


@dataclass(frozen=True)
class Classified:
    """A step's result, per device, in the order of its rows.

    Attributes:
        losses: (b,) each, 0 and without gradient for rows with label -1. The caller takes the mean.
        correct: (b,) each, 1 where the target scores highest without margin (of the step's classes), else 0.
    """

    losses: list[NDArray]
    correct: list[NDArray]


class ShardedClassifier(gluon.HybridBlock):
    """The loss of :class:`fairface.heads.classifier.Classifier` with its cross-entropy, with the classes split.

    Every device gets the embeddings of all devices and multiplies them with its own classes; cosines of the targets and
    sums of exponentials, ``(B, 1)`` each, are all that is exchanged. Gradients go back to the device of each embedding.
    Its arrays are no gluon parameters, since none has a copy on every device: what is saved is the whole matrix
    ``weight (C, D)``, as of the other classifier, so either takes up the other's checkpoint.

    Args:
        embedding: D.
        classes: C.
        margin: what becomes of the cosines.
        smoothing: share of the target spread over all classes of the step, 0 to below 1.
        sampling: the classes of a step; None = all.
        store: where centres and momentum are kept; None = in the memory of their devices.

    Attributes:
        shards: one for each device, once it is initialised.
        step: the step that the next :meth:`losses` belongs to; the sample depends on it.
    """

    def __init__(
        self, embedding: int, classes: int, margin: Margin, smoothing: float = 0.0, sampling: Sampling | None = None,
        store: Store | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embedding = embedding
        self.classes = classes
        self.margin = margin
        self.smoothing = smoothing
        self.sampling = sampling
        self.store = store or Store()
        self.shards: list[ClassShard] = []
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

    def initialize(self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False) -> None:
        """Random centres, the same for any number of devices.

        Raises:
            ConfigError: more devices than classes, or a folder for the arrays that has no room.
        """
        contexts: list[Context] = list(ctx) if isinstance(ctx, (list, tuple)) else [ctx or mx.cpu()]
        self.shards = []
        for classes, context in zip(cut_classes(self.classes, len(contexts), self.embedding), contexts, strict=True):
            weight = self.store.zeros((len(classes), self.embedding), context, self._dtype)
            self.shards.append(ClassShard(classes, weight, context))
        for start in range(0, self.classes, ROWS_AT_ONCE):
            rows = min(ROWS_AT_ONCE, self.classes - start)
            self.fill(start, nd.random.normal(0, INITIAL_DEVIATION, (rows, self.embedding), ctx=mx.cpu()))

    def cast(self, dtype: str) -> None:
        """Keep and compute in ``dtype``; before :meth:`initialize`."""
        self._dtype = dtype

    def losses(
        self, embeddings: Sequence[NDArray], labels: Sequence[NDArray], world: World,
        statistics: Sequence[Sequence[NDArray]] = (),
    ) -> Classified:  # fmt: skip
        """The losses of a step.

        Args:
            embeddings: each device's ``(b, D)``; gradients flow into them.
            labels: each device's ``(b,)`` int32; -1 = unlabeled.
            world: the devices that the head was initialised on.
            statistics: each device's further arguments of the margin, of the whole batch.
        """
        whole = np.concatenate([label.asnumpy() for label in labels])
        statistics = statistics or [()] * len(embeddings)
        with autograd.pause():
            self.store.release()
            columns = [shard.choose(whole, self.sampling, self.step) for shard in self.shards]
        gathered = world.gather([embedding.astype(self._dtype) for embedding in embeddings])
        rows = [BatchRows(shard, self.margin, e, c) for shard, e, c in zip(self.shards, gathered, columns, strict=True)]
        cosines = [add([own.target for own in rows], each.context) for each in gathered]
        parts = [
            self._part(own, whole, cosine, values)
            for own, cosine, values in zip(rows, cosines, statistics, strict=True)
        ]
        labeled = mask_of(whole >= 0, gathered[0].context, self._dtype)
        losses = cross_entropy(parts, labeled, self.smoothing).reshape((-1,))
        correct = is_correct(rows, cosines[0], labeled).reshape((-1,))
        return Classified(_apart(losses, embeddings), _apart(correct, embeddings))

    def _part(self, own: BatchRows, labels: Array[np.integer], cosine: NDArray, statistics: Sequence[NDArray]) -> Part:
        target = None
        if self.margin.uses_label:
            labeled = mask_of(labels >= 0, cosine.context, self._dtype)
            target = Target(cosine * (1.0 / self.margin.s), labeled, own.column, own.mask)
        length = lengths(nd, own.embedding) if self.margin.uses_length else None
        logits = self.margin(nd, own.scaled, target, length, *statistics)
        return part_of(logits, own.column, own.is_own, self.smoothing)

    def measured(self, embedding: NDArray, label: NDArray) -> NDArray:
        """(b,): what the margin's statistic is taken of, see :class:`~fairface.heads.statistics.Statistic`."""
        if self.statistic is not None and self.statistic.of == LENGTH:
            return lengths(nd, embedding).reshape((-1,))
        known = label.asnumpy()
        centres = add([shard.centres_of(known, embedding.context) for shard in self.shards], embedding.context)
        embedding = embedding.astype(self._dtype)
        if self.margin.normalises:
            embedding, centres = nd.L2Normalization(embedding), nd.L2Normalization(centres)
        return (embedding * centres).sum(axis=1)

    def arrays(self) -> dict[str, NDArray]:
        """``weight (C, D)`` on the CPU."""
        return {"weight": self.joined([shard.weight for shard in self.shards])}

    def set_arrays(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """Take the centres of :meth:`arrays`, or of a classifier that is not split.

        Raises:
            CheckpointError: another number of classes or values, or other arrays; ``source`` names the file.
        """
        self.check_arrays(arrays, source)
        self.fill(0, arrays["weight"])

    def check_arrays(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """What :meth:`set_arrays` refuses; nothing is changed."""
        if set(arrays) != {"weight"}:
            found = ", ".join(sorted(arrays)) or "nothing"
            raise CheckpointError(f"{source}: holds {found} for the head, which needs weight; it is of another method")
        if arrays["weight"].shape != self.shape:
            raise CheckpointError(
                f"{source}: weight is {arrays['weight'].shape}, this head needs {self.shape} (classes, values of an "
                "embedding); check the data and backbone.embedding"
            )

    def joined(self, parts: Sequence[NDArray | None]) -> NDArray:
        """The devices' parts as one array (C, D) on the CPU."""
        there = [part.as_in_context(mx.cpu()) for part in parts if part is not None]
        return there[0] if len(there) == 1 else nd.concat(*there, dim=0)

    def fill(self, start: int, rows: NDArray) -> None:
        """Set the centres from class ``start`` on to ``rows (n, D)``."""
        stop = start + len(rows)
        for shard in self.shards:
            first, last = max(start, shard.classes.start), min(stop, shard.classes.stop)
            if first < last:
                part = rows[first - start : last - start].astype(self._dtype)
                own = shard.classes.start
                shard.weight[first - own : last - own] = part.as_in_context(shard.weight.context)
        self.store.release()


def _apart(rows: NDArray, embeddings: Sequence[NDArray]) -> list[NDArray]:
    """(B,) as (b,) on each embedding's device."""
    ends = np.cumsum([len(embedding) for embedding in embeddings]).tolist()
    return [
        rows[end - len(embedding) : end].as_in_context(embedding.context)
        for end, embedding in zip(ends, embeddings, strict=True)
    ]
