"""Class weights and a margin: embeddings and labels to logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairface.heads.base import Margin, Target
from fairface.heads.statistics import LENGTH, Statistic
from fairface.mx import NDArray, autograd, gluon, mx, nd

INITIAL_DEVIATION = 0.01  # of a class weight's values, as insightface's


class Classifier(gluon.HybridBlock):
    """``(embedding (B, D), label (B,)) -> logits (B, C)``; rows with label -1 get no margin.

    A classifier has no state besides its parameters: statistics over the whole batch are handed to it as further
    arguments, one ``(1,)`` array for each name of :attr:`statistic`.

    Args:
        embedding: D.
        classes: C.
        margin: what becomes of the cosines.
        deviation: of the class weights' start values.

    Attributes:
        weight: ``(C, D)``, one row per class.
    """

    def __init__(self, embedding: int, classes: int, margin: Margin, deviation: float = INITIAL_DEVIATION) -> None:
        super().__init__()
        self.classes = classes
        self.margin = margin
        self._dtype = "float32"
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(classes, embedding), init=mx.init.Normal(deviation))

    @property
    def statistic(self) -> Statistic | None:
        """What the further arguments are; None = there are none."""
        return self.margin.statistic

    def __call__(self, embedding: Any, label: Any, *statistics: Any, centres: NDArray | None = None) -> Any:
        """The logits.

        Args:
            embedding: (B, D), any length.
            label: (B,) int32; -1 = unlabeled.
            statistics: see the class.
            centres: (V, D), further classes without weights of their own (virtual classes); their columns follow those
                of the C classes, and labels from C on mean them. Gradients flow into them.
        """
        if centres is None:
            return super().__call__(embedding, label, *statistics)
        matrix = nd.concat(self.weight.data(embedding.context), centres, dim=0)
        return logits_of(
            nd, self.margin, embedding, matrix, label, self.classes + len(centres), statistics, self._dtype
        )

    def forward(self, embedding: Any, label: Any, *statistics: Any) -> Any:
        """See :meth:`__call__`; a margin that does not use the label is a graph with one input."""
        inputs = (embedding, label, *statistics) if self.margin.uses_label else (embedding,)
        return super().forward(*inputs)

    def hybrid_forward(self, F: Any, embedding: Any, label: Any = None, *statistics: Any, weight: Any) -> Any:
        return logits_of(F, self.margin, embedding, weight, label, self.classes, statistics, self._dtype)

    def cast(self, dtype: str) -> None:
        """Compute in ``dtype``."""
        super().cast(dtype)
        self._dtype = dtype

    def target_logit(self, embedding: NDArray, label: NDArray) -> NDArray:
        """(B,): each row's logit of its target without margin. Costs B rows of ``weight``, not all C."""
        rows = nd.take(self.weight.data(embedding.context), label, mode="clip")
        if not self.margin.normalises:
            return (embedding * rows).sum(axis=1)
        return (nd.L2Normalization(embedding) * nd.L2Normalization(rows)).sum(axis=1) * self.margin.s

    def non_target_logits(self, embedding: NDArray, logits: NDArray) -> NDArray:
        """(B, C) logits whose other columns stand as they are without margin; the target's may hold anything.

        ``logits`` are those of the training step. Most margins change the target's column only, so the others are read
        there; else it takes one matrix product more.
        """
        if not self.margin.reshapes:
            return logits
        return scaled_cosines(nd, self.margin, embedding, self.weight.data(embedding.context), self.classes)

    def is_correct(self, embedding: NDArray, logits: NDArray, label: NDArray) -> NDArray:
        """(B,) float, 1 where the target scores highest of all without margin (0 for rows with label -1).

        ``logits`` are those of the training step.
        """
        with autograd.pause():
            target = nd.one_hot(label, self.classes, dtype=logits.dtype)
            highest = (self.non_target_logits(embedding, logits) - target * 1e9).max(axis=1)
            labeled = label.astype(logits.dtype) >= 0
            return (self.target_logit(embedding, label) > highest) * labeled

    def measured(self, embedding: NDArray, label: NDArray) -> NDArray:
        """(b,): what the margin's statistic is taken of, see :class:`~fairface.heads.statistics.Statistic`."""
        if self.statistic is not None and self.statistic.of == LENGTH:
            return lengths(nd, embedding).reshape((-1,))
        return self.target_logit(embedding, label) / self.margin.s


def scaled_cosines(F: Any, margin: Margin, embedding: Any, matrix: Any, classes: int) -> Any:
    """(B, C): ``s`` times the cosine between rows and classes ``matrix (C, D)``; products where a margin does not
    normalise."""
    if margin.normalises:
        embedding, matrix = F.L2Normalization(embedding) * margin.s, F.L2Normalization(matrix)
    return F.FullyConnected(embedding, matrix, no_bias=True, num_hidden=classes)


def lengths(F: Any, embedding: Any) -> Any:
    """(B, 1)."""
    return F.sqrt(F.sum(F.square(embedding), axis=1, keepdims=True))


def logits_of(
    F: Any, margin: Margin, embedding: Any, matrix: Any, label: Any, classes: int, statistics: Sequence[Any], dtype: str
) -> Any:  # fmt: skip
    """The logits (B, C) of one matrix that holds every class: ``label (B,)`` is the target's column, -1 = unlabeled."""
    scaled = scaled_cosines(F, margin, embedding, matrix, classes)
    if not margin.uses_label:
        return margin(F, scaled, None, None)
    target = Target(
        cosine=F.pick(scaled, label, axis=1, keepdims=True) * (1.0 / margin.s),
        labeled=F.cast(F.expand_dims(label >= 0, axis=1), dtype=dtype),
        column=label,
        mask=F.one_hot(label, depth=classes, dtype=dtype),
    )
    return margin(F, scaled, target, lengths(F, embedding) if margin.uses_length else None, *statistics)
