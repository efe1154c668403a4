"""Train an embedding by classifying the training identities: backbone, head, cross-entropy.

The method of the fair-face system and of every loss that is a head, those with whole-batch statistics too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.source import Source
from fairface.heads.base import Head
from fairface.heads.loss import CrossEntropy
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import ParameterGroup, StepReport
from fairface.methods.common import backbone_groups, embed
from fairface.mx import NDArray, autograd, gluon
from fairface.parallel import Shard
from fairface.parameters import structural

HEAD = "head."


class Classify:
    """Backbone + head on one labeled data set.

    Args:
        backbone: ``(B, 3, H, W)`` to ``(B, D)``.
        head: ``(B, D), (B,)`` and its statistics to logits ``(B, C)``.
        source: the labeled data with batch size and sampler.
        label_smoothing: share of the target spread over all classes, 0..1.
        head_lr_mult: learning rate of the head relative to the backbone's.
        decay_norm: whether weight decay also acts on BatchNorm's gamma and beta and on biases.
    """

    stages: tuple[str, ...] = ("all", "head")

    def __init__(
        self,
        backbone: gluon.HybridBlock,
        head: Head,
        source: Source,
        label_smoothing: float = 0.0,
        head_lr_mult: float = 1.0,
        decay_norm: bool = True,
    ) -> None:
        self.backbone = backbone
        self.head = head
        self.source = source
        self.criterion = CrossEntropy(label_smoothing)
        self.criterion.hybridize()
        self.statistics = RunningStatistics(head.statistic)
        self.head_lr_mult = head_lr_mult
        self.decay_norm = decay_norm
        self.backbone_is_frozen = False

    def sources(self) -> Sequence[Source]:
        return [self.source]

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {"backbone": self.backbone, "head": self.head}

    def inference(self) -> gluon.HybridBlock:
        return self.backbone

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        self.backbone_is_frozen = stage == "head"
        head = {f"head.{name}": p for name, p in structural(self.head).items()}
        groups = [ParameterGroup("head", head, lr_mult=self.head_lr_mult)]
        if not self.backbone_is_frozen:
            groups = [*backbone_groups(self.backbone, self.decay_norm), *groups]
        return groups

    def losses(self, shards: Sequence[Shard]) -> StepReport:
        return self.classified(shards, embed(self.backbone, shards, self.backbone_is_frozen))

    def classified(self, shards: Sequence[Shard], embeddings: Sequence[NDArray]) -> StepReport:
        """The class loss of a step's embeddings; statistics are taken over the batch of all devices."""
        total = sum(len(shard.labels) for shard in shards)
        statistics = self.statistics.update(embeddings, [shard.labels for shard in shards])
        losses, correct = [], []
        for shard, embedding, values in zip(shards, embeddings, statistics, strict=True):
            logits = self.head(embedding, shard.labels, *values)
            losses.append(self.criterion(logits, shard.labels).sum() / total)
            with autograd.pause():
                correct.append(self.head.hits(embedding, logits, shard.labels).sum() / total)
        return StepReport({"loss": losses}, {"accuracy": correct})

    def after_step(self) -> None:
        """Keep the head's statistics."""
        self.statistics.commit()

    def state(self) -> dict[str, Array[np.generic]]:
        return {f"{HEAD}{name}": value for name, value in self.statistics.state().items()}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: a statistic is missing.
        """
        own = {name[len(HEAD) :]: value for name, value in state.items() if name.startswith(HEAD)}
        self.statistics.load_state(own)
