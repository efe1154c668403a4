"""Several labeled data sets in one step, each with identities and a classifier of its own (TFace's branches).

All rows go through the backbone together, so BatchNorm sees them as one batch; each branch's rows are then classified
among the identities of its own data set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.errors import CheckpointError
from fairface.heads.classifier import Classifier
from fairface.heads.loss import CrossEntropy
from fairface.heads.sharded import MomentumRule, ShardedClassifier, ShardUpdater
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import ParameterGroup, StepOutcome, Updater
from fairface.methods.common import class_losses
from fairface.mx import NDArray, autograd, nd
from fairface.parallel import Shard, World
from fairface.parameters import structural

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
        self.name, self.source, self.head, self.weight = name, source, head, weight
        self.block = "head" if alone else f"head_{name}"
        self._suffix = "" if alone else f"_{name}"
        self.criterion = CrossEntropy(label_smoothing)
        self.criterion.hybridize()
        self.statistics = RunningStatistics(head.statistic, head.measured)

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
        statistics = self.statistics.update(own, labels, world)
        with autograd.pause():
            labeled = nd.maximum(world.join([label >= 0 for label in labels], own[0].context).sum(), 1).astype(
                "float32"
            )
        total = sum(shards[0].source_rows[number] for number in (self.source, *unlabeled))
        found = class_losses(self.head, self.criterion, own, labels, statistics, world)
        counts = [labeled.as_in_context(embedding.context) for embedding in own]
        losses = [
            rows.sum().astype("float32") * self.weight / (count if mean == LABELED else total)
            for rows, count in zip(found.losses, counts, strict=True)
        ]
        with autograd.pause():
            correct = [
                rows.sum().astype("float32") / count for rows, count in zip(found.correct, counts, strict=True)
            ]
        return {f"loss{self._suffix}": losses}, {f"accuracy{self._suffix}": correct}

    def parameter_groups(self, lr_mult: float) -> list[ParameterGroup]:
        """What the run's optimizer updates: nothing of a split head."""
        if isinstance(self.head, ShardedClassifier):
            return []
        own = {f"{self.block}.{name}": p for name, p in structural(self.head).items()}
        return [ParameterGroup(self.block, own, lr_mult=lr_mult)]

    def updaters(self, rule: MomentumRule) -> list[Updater]:
        """That of a split head, whose classes move by ``rule``."""
        return [ShardUpdater(self.head, rule, self.block)] if isinstance(self.head, ShardedClassifier) else []

    def after_step(self, outcome: StepOutcome) -> None:
        """Keep the statistics; the next sample of classes is that of the next step."""
        if outcome.applied:
            self.statistics.commit()
        if isinstance(self.head, ShardedClassifier):
            self.head.step = outcome.step + 1

    def state(self) -> dict[str, Array[np.generic]]:
        """Arrays besides the parameters, by names that begin with the block's."""
        state = {f"{self.block}.{name}": value for name, value in self.statistics.state().items()}
        if isinstance(self.head, ShardedClassifier):
            state[f"{self.block}.{_STEP}"] = np.array([self.head.step], np.int64)
        return state

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: an array is missing.
        """
        prefix = f"{self.block}."
        own = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
        if isinstance(self.head, ShardedClassifier):
            if _STEP not in own:
                raise CheckpointError(f"the checkpoint has no {prefix}{_STEP}; it belongs to a head that is not split")
            self.head.step = int(own[_STEP][0])
        self.statistics.load_state(own)
