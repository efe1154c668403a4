"""Train an embedding by classifying the training identities: backbone, head, cross-entropy.

The method of the fair-face system and of every loss that is a head, those with whole-batch statistics too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.source import Source
from fairface.errors import CheckpointError, ConfigError
from fairface.heads.classifier import Classifier
from fairface.heads.loss import CrossEntropy
from fairface.heads.sharded import MomentumRule, ShardedClassifier, ShardUpdater
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import Method, ParameterGroup, Stage, StepOutcome, StepReport, Updater
from fairface.methods.common import backbone_groups, class_losses, embed
from fairface.mx import NDArray, autograd, gluon
from fairface.parallel import Shard, World
from fairface.parameters import structural

HEAD = "head."
STEP = f"{HEAD}step"


def labeled_source(sources: Sequence[Source], method: str = "classify") -> int:
    """The position of the one source that has labels; ``method`` is named in errors.

    Raises:
        ConfigError: none has, or several have.
    """
    labeled = [number for number, source in enumerate(sources) if source.is_labeled]
    if len(labeled) != 1:
        named = ", ".join(f"{s.name}{'' if n in labeled else ' (unlabeled)'}" for n, s in enumerate(sources))
        raise ConfigError(
            f"method {method} trains on one labeled source, but sources names {named}; merge those with labels "
            "(data_process/merge_sets.py), or mark all but one as unlabeled"
        )
    return labeled[0]


class Classify(Method):
    """Backbone + head on one labeled data set, or on several sources of which one is labeled.

    Rows without a label go through the backbone with the others (BatchNorm sees them) and have no class loss; the loss
    is the mean over the rows of the labeled source.

    Args:
        backbone: ``(B, 3, H, W)`` to ``(B, D)``.
        head: ``(B, D), (B,)`` and its statistics to logits ``(B, C)``; or one whose classes are split over devices,
            which has its own label smoothing and updater.
        sources: the data with batch sizes and samplers; one of them has labels.
        label_smoothing: share of the target spread over all classes, 0..1.
        head_lr_mult: learning rate of the head relative to the backbone's.
        decay_norm: whether weight decay also acts on BatchNorm's gamma and beta and on biases.
        head_rule: how the classes of a split head move; None = by default.
    """

    stages: Mapping[str, Stage] = {"all": Stage(("backbone", "head")), "head": Stage(("head",))}

    def __init__(
        self,
        backbone: gluon.HybridBlock,
        head: Classifier | ShardedClassifier,
        sources: Sequence[Source],
        label_smoothing: float = 0.0,
        head_lr_mult: float = 1.0,
        decay_norm: bool = True,
        head_rule: MomentumRule | None = None,
    ) -> None:
        self.backbone = backbone
        self.head = head
        self.data = tuple(sources)
        self.labeled = labeled_source(self.data)
        self.criterion = CrossEntropy(label_smoothing)
        self.criterion.hybridize()
        self.statistics = RunningStatistics(head.statistic, head.measured)
        self.head_lr_mult = head_lr_mult
        self.head_rule = head_rule or MomentumRule()
        self.decay_norm = decay_norm
        self.backbone_is_frozen = False

    def sources(self) -> Sequence[Source]:
        return self.data

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {"backbone": self.backbone, "head": self.head}

    def inference(self) -> gluon.HybridBlock:
        return self.backbone

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        self.backbone_is_frozen = "backbone" not in self.stages[stage].trains
        groups = []
        if not isinstance(self.head, ShardedClassifier):
            head = {f"head.{name}": p for name, p in structural(self.head).items()}
            groups.append(ParameterGroup("head", head, lr_mult=self.head_lr_mult))
        if not self.backbone_is_frozen:
            groups = [*backbone_groups(self.backbone, self.decay_norm), *groups]
        return groups

    def updaters(self, stage: str) -> Sequence[Updater]:
        if not isinstance(self.head, ShardedClassifier) or "head" not in self.stages[stage].trains:
            return ()
        return [ShardUpdater(self.head, self.head_rule)]

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        return self.classified(shards, embed(self.backbone, shards, self.backbone_is_frozen), world)

    def classified(self, shards: Sequence[Shard], embeddings: Sequence[NDArray], world: World) -> StepReport:
        """The class loss of a step's embeddings; statistics are taken over the batch of all devices."""
        total = shards[0].source_rows[self.labeled]
        labels = [shard.labels for shard in shards]
        statistics = self.statistics.update(embeddings, labels, world)
        found = class_losses(self.head, self.criterion, embeddings, labels, statistics, world)
        losses = [rows.sum() / total for rows in found.losses]
        with autograd.pause():
            return StepReport({"loss": losses}, {"accuracy": [rows.sum() / total for rows in found.correct]})

    def after_step(self, outcome: StepOutcome) -> None:
        """Keep the head's statistics; its next sample of classes is that of the next step."""
        if outcome.applied:
            self.statistics.commit()
        if isinstance(self.head, ShardedClassifier):
            self.head.step = outcome.step + 1

    def state(self) -> dict[str, Array[np.generic]]:
        state = {f"{HEAD}{name}": value for name, value in self.statistics.state().items()}
        if isinstance(self.head, ShardedClassifier):
            state[STEP] = np.array([self.head.step], np.int64)
        return state

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: a statistic or the step is missing.
        """
        if isinstance(self.head, ShardedClassifier):
            if STEP not in state:
                raise CheckpointError(f"the checkpoint has no {STEP}; it belongs to a head that is not sharded")
            self.head.step = int(state[STEP][0])
        own = {name[len(HEAD) :]: value for name, value in state.items() if name.startswith(HEAD)}
        self.statistics.load_state(own)
