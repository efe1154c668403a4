"""Train an embedding by classifying the training identities: backbone, margin head, cross-entropy.

The method of the fair-face system and of every margin loss (ArcFace, CosFace, combined, plain softmax).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loader import Source
from fairface.heads.base import Head
from fairface.heads.loss import CrossEntropy
from fairface.methods.base import ParameterGroup, StepReport
from fairface.mx import autograd, gluon
from fairface.parallel import Shard
from fairface.parameters import structural


class Classify:
    """Backbone + head on one labeled data set.

    Args:
        backbone: ``(B, 3, H, W)`` to ``(B, D)``.
        head: ``(B, D), (B,)`` to logits ``(B, C)``.
        source: the labeled data with batch size and sampler.
        label_smoothing: share of the target spread over all classes, 0..1.
        head_lr_mult: learning rate of the head relative to the backbone's.
        decay_norm: whether weight decay also acts on BatchNorm's gamma and beta and on biases.
    """

    stages = ("all", "head")

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
            body = {f"backbone.{name}": p for name, p in structural(self.backbone).items()}
            groups = [*self._by_decay(body), *groups]
        return groups

    def _by_decay(self, parameters: Mapping[str, gluon.Parameter]) -> list[ParameterGroup]:
        if self.decay_norm:
            return [ParameterGroup("backbone", parameters)]
        weights = {name: p for name, p in parameters.items() if name.endswith("weight")}
        others = {name: p for name, p in parameters.items() if name not in weights}
        return [ParameterGroup("backbone", weights), ParameterGroup("backbone norm", others, wd_mult=0.0)]

    def losses(self, shards: Sequence[Shard]) -> StepReport:
        total = sum(len(shard.labels) for shard in shards)
        losses, correct = [], []
        for shard in shards:
            if self.backbone_is_frozen:
                # A frozen backbone neither keeps intermediate results for a backward pass nor uses batch statistics.
                with autograd.pause(train_mode=False):
                    embedding = self.backbone(shard.images)
            else:
                embedding = self.backbone(shard.images)
            logits = self.head(embedding, shard.labels)
            losses.append(self.criterion(logits, shard.labels).sum() / total)
            with autograd.pause():
                correct.append(self.head.hits(embedding, logits, shard.labels).sum() / total)
        return StepReport({"loss": losses}, {"accuracy": correct})

    def after_step(self) -> None:
        """Nothing is kept between steps."""

    def state(self) -> dict[str, Array[np.generic]]:
        return {}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Nothing is kept between steps."""
