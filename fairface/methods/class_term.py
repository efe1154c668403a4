"""A head with all that its class loss needs: criterion, statistics of whole batches, parameters, state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.errors import CheckpointError
from fairface.heads.classifier import Classifier
from fairface.heads.loss import CrossEntropy
from fairface.heads.sharded import Classified, MomentumRule, ShardedClassifier, ShardUpdater
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import ParameterGroup, StepOutcome, Updater
from fairface.mx import NDArray, autograd
from fairface.parallel import World
from fairface.parameters import structural

_STEP = "step"  # of a split head, whose sample of classes depends on it


class ClassTerm:
    """The class loss of one head, which has copies on all devices or is split over them.

    Args:
        block: name of the head's block; names of its parameters and of its state begin with it.
        head: the classifier; a split one has its own label smoothing and updater.
        label_smoothing: share of the target spread over all classes, 0..1.
    """

    def __init__(self, block: str, head: Classifier | ShardedClassifier, label_smoothing: float = 0.0) -> None:
        self.block, self.head = block, head
        self.criterion = CrossEntropy(label_smoothing)
        self.criterion.hybridize()
        measure = None if isinstance(head, ShardedClassifier) else head.measured
        self.statistics = RunningStatistics(head.statistic, measure)

    def classified(self, embeddings: Sequence[NDArray], labels: Sequence[NDArray], world: World) -> Classified:
        """Every row's class loss, and whether its target scores highest, on its own device.

        Args:
            embeddings: each device's (b, D).
            labels: each device's (b,), -1 = unlabeled: loss 0 without gradient.
            world: the devices of the whole batch, over which statistics are taken.
        """
        if isinstance(self.head, ShardedClassifier):
            return self._among_split(self.head, embeddings, labels, world)
        statistics = self.statistics.update(embeddings, labels, world)
        losses, correct = [], []
        for embedding, label, values in zip(embeddings, labels, statistics, strict=True):
            logits = self.head(embedding, label, *values)
            losses.append(self.criterion(logits, label))
            correct.append(self.head.is_correct(embedding, logits, label))
        return Classified(losses, correct)

    def _among_split(
        self, head: ShardedClassifier, embeddings: Sequence[NDArray], labels: Sequence[NDArray], world: World
    ) -> Classified:
        batch = head.gathered(embeddings, labels, world)
        with autograd.pause():
            contexts = [embedding.context for embedding in embeddings]
            values = self.statistics.move(head.measured(batch), batch.labeled[0].reshape((-1,)), contexts)
        return head.losses(batch, values)

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
            CheckpointError: a statistic or the step is missing.
        """
        prefix = f"{self.block}."
        own = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
        if isinstance(self.head, ShardedClassifier):
            if _STEP not in own:
                raise CheckpointError(
                    f"the checkpoint has no {prefix}{_STEP}; it belongs to a head that is not sharded"
                )
            self.head.step = int(own[_STEP][0])
        self.statistics.load_state(own)
