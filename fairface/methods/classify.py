"""Train an embedding by classifying the training identities: backbone, head, cross-entropy.

The method of the fair-face system and of every loss that is a head, those with whole-batch statistics too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.source import Source
from fairface.errors import ConfigError
from fairface.heads.classifier import Classifier
from fairface.heads.sharded import MomentumRule, ShardedClassifier
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import Method, ParameterGroup, Stage, StepOutcome, StepReport, Updater
from fairface.methods.class_term import ClassTerm
from fairface.methods.common import backbone_groups, embed
from fairface.mx import NDArray, autograd, gluon
from fairface.parallel import Shard, World

HEAD = "head"


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
        self.data = tuple(sources)
        self.labeled = labeled_source(self.data)
        self.of_classes = ClassTerm(HEAD, head, label_smoothing)
        self.head, self.criterion, self.statistics = head, self.of_classes.criterion, self.of_classes.statistics
        self.head_lr_mult = head_lr_mult
        self.head_rule = head_rule or MomentumRule()
        self.decay_norm = decay_norm
        self.backbone_is_frozen = False

    def sources(self) -> Sequence[Source]:
        return self.data

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {"backbone": self.backbone, HEAD: self.head}

    def inference(self) -> gluon.HybridBlock:
        return self.backbone

    @property
    def margin_statistics(self) -> Mapping[str, RunningStatistics]:
        return {HEAD: self.statistics}

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        self.backbone_is_frozen = "backbone" not in self.stages[stage].trains
        groups = [] if self.backbone_is_frozen else list(backbone_groups(self.backbone, self.decay_norm))
        return [*groups, *self.of_classes.parameter_groups(self.head_lr_mult)]

    def updaters(self, stage: str) -> Sequence[Updater]:
        return self.of_classes.updaters(self.head_rule) if HEAD in self.stages[stage].trains else ()

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        return self.classified(shards, embed(self.backbone, shards, world, self.backbone_is_frozen), world)

    def classified(self, shards: Sequence[Shard], embeddings: Sequence[NDArray], world: World) -> StepReport:
        """The class loss of a step's embeddings; statistics are taken over the batch of all devices."""
        total = shards[0].source_rows[self.labeled]
        found = self.of_classes.classified(embeddings, [shard.labels for shard in shards], world)
        losses = [rows.sum() / total for rows in found.losses]
        with autograd.pause():
            return StepReport({"loss": losses}, {"accuracy": [rows.sum() / total for rows in found.correct]})

    def after_step(self, outcome: StepOutcome) -> None:
        """Keep the head's statistics; its next sample of classes is that of the next step."""
        self.of_classes.after_step(outcome)

    def state(self) -> dict[str, Array[np.generic]]:
        return self.of_classes.state()

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: a statistic or the step is missing.
        """
        self.of_classes.load_state(state)
