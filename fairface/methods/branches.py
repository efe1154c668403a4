"""Several labeled data sets in one step, each with identities and a classifier of its own (TFace's branches).

All rows go through the backbone together, so BatchNorm sees them as one batch; each branch's rows are then classified
among the identities of its own data set.
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.heads.classifier import Classifier
from fairface.heads.sharded import ShardedClassifier
from fairface.methods.class_term import ClassTerm
from fairface.mx import NDArray, autograd, nd
from fairface.parallel import Shard, World

BATCH, LABELED = "batch", "labeled"
_STEP = "step"  # of a split head, whose sample of classes depends on it


class Branch:
    """One labeled source, its head and its class loss.

    Args:
        name: of the source.
        source: its position among the sources.
        head: classifier of its identities, with copies on all devices or split over them.
        weight: factor of its loss.
        label_smoothing: share of the target spread over all classes.
        alone: whether this is the only branch; its block and its losses then have no name of its own.
    """

    def __init__(
        self, name: str, source: int, head: Classifier | ShardedClassifier, weight: float, label_smoothing: float,
        alone: bool,
    ) -> None:  # fmt: skip
        self.name, self.source, self.weight = name, source, weight
        self._suffix = "" if alone else f"_{name}"
        self.term = ClassTerm("head" if alone else f"head_{name}", head, label_smoothing)

    def classified(
        self, shards: Sequence[Shard], embeddings: Sequence[NDArray], unlabeled: Sequence[int], mean: str, world: World
    ) -> tuple[dict[str, list[NDArray]], dict[str, list[NDArray]]]:
        """The branch's loss, times its weight, and the accuracy on its labeled rows; one scalar per device each.

        Args:
            shards: the batch.
            embeddings: each device's ``(b, D)`` of all rows.
            unlabeled: positions of the sources without labels.
            mean: ``batch``: the loss is divided by the branch's rows and the rows of the unlabeled sources, as in
                UFace, where masked faces stand in the labeled data set; ``labeled``: by the rows that have a label.
            world: the devices of the whole batch.
        """
        rows = [shard.rows[self.source] for shard in shards]
        own = [embedding[cut] for embedding, cut in zip(embeddings, rows, strict=True)]
        labels = [shard.labels[cut] for shard, cut in zip(shards, rows, strict=True)]
        with autograd.pause():
            labeled = nd.maximum(world.join([label >= 0 for label in labels], own[0].context).sum(), 1).astype(
                "float32"
            )
        total = sum(shards[0].source_rows[number] for number in (self.source, *unlabeled))
        found = self.term.classified(own, labels, world)
        counts = [labeled.as_in_context(embedding.context) for embedding in own]
        losses = [
            rows.sum().astype("float32") * self.weight / (count if mean == LABELED else total)
            for rows, count in zip(found.losses, counts, strict=True)
        ]
        with autograd.pause():
            correct = [rows.sum().astype("float32") / count for rows, count in zip(found.correct, counts, strict=True)]
        return {f"loss{self._suffix}": losses}, {f"accuracy{self._suffix}": correct}
