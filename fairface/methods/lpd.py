"""Latent Part Detection: classify a face, and the part of it that a mask leaves free (Ding et al. 2020).

A localiser cuts the part out, and both go through one net. ``L = L_global + L_partial + |sy - s|``, each with a weight:
the class losses of both streams, each with its own classifier, and the distance between the crop's scale in height and
the height of the nose in the image, a mean over images.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.backbones.lpd import LPDNet, Streams
from fairface.config.schema import LPDConfig
from fairface.heads.classifier import Classifier
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import ParameterGroup, Stage, StepOutcome, StepReport
from fairface.methods.class_term import ClassTerm
from fairface.methods.classify import Classify
from fairface.methods.common import embed
from fairface.methods.nose_height import COLUMN, WITHOUT
from fairface.mx import NDArray, autograd, gluon, nd
from fairface.parallel import Shard, World

PARTIAL = "partial_head"
_LOCALISER = "backbone.localiser."


class LPD(Classify):
    """A net with a global and a partial stream, and a classifier for each.

    Args:
        options: weights of the losses.
        partial_head: the partial stream's classifier, (B, C) to logits.
        parts: the arguments of :class:`Classify`; ``backbone`` is the net with both streams, ``head`` the global
            stream's classifier, and the one source has the column ``nose_height``.
    """

    stages: Mapping[str, Stage] = {
        "all": Stage(("backbone", "head", PARTIAL)),
        "head": Stage(("head", PARTIAL)),
    }

    def __init__(
        self, options: LPDConfig, partial_head: Classifier, backbone: LPDNet, label_smoothing: float = 0.0, **parts: Any
    ) -> None:
        super().__init__(backbone=backbone, label_smoothing=label_smoothing, **parts)
        self.options = options
        self.of_part = ClassTerm(PARTIAL, partial_head, label_smoothing)
        self.net = backbone
        self.streams = Streams(backbone)
        self.streams.hybridize(static_alloc=True, static_shape=True)

    @property
    def reads(self) -> Mapping[str, str]:
        return {COLUMN: WITHOUT}

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {**super().blocks(), PARTIAL: self.of_part.head}

    @property
    def parts_of_embedding(self) -> Mapping[str, slice]:
        return {"head": slice(0, self.net.channels), PARTIAL: slice(self.net.channels, None)}

    @property
    def margin_statistics(self) -> Mapping[str, RunningStatistics]:
        return {**super().margin_statistics, PARTIAL: self.of_part.statistics}

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        groups = [part for group in super().parameter_groups(stage) for part in self._split(group)]
        return [*groups, *self.of_part.parameter_groups(self.head_lr_mult)]

    def _split(self, group: ParameterGroup) -> list[ParameterGroup]:
        """The localiser's part of a group by itself, with its own learning rate."""
        own = {name: p for name, p in group.parameters.items() if name.startswith(_LOCALISER)}
        if not own:
            return [group]
        others = {name: p for name, p in group.parameters.items() if name not in own}
        factor = group.lr_mult * self.options.localiser_lr_mult
        return [
            dataclasses.replace(group, parameters=others),
            dataclasses.replace(group, name=f"{group.name}, localiser", parameters=own, lr_mult=factor),
        ]

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        streams = embed(self.streams, shards, world, self.backbone_is_frozen)
        whole, partial, where = zip(*streams, strict=True)
        rows, weights = shards[0].batch_rows, self.options
        labels = [shard.labels for shard in shards]
        terms = [self.of_classes.classified(whole, labels, world), self.of_part.classified(partial, labels, world)]
        gaps = [
            (found[:, 1] - shard.extra[COLUMN]).abs().sum() / rows for found, shard in zip(where, shards, strict=True)
        ]
        losses = {
            "loss": [loss.sum() * (weights.global_weight / rows) for loss in terms[0].losses],
            "partial": [loss.sum() * (weights.partial_weight / rows) for loss in terms[1].losses],
            "height": [gap * weights.height_weight for gap in gaps],
        }
        with autograd.pause():
            metrics = {
                name: [correct.sum() / rows for correct in term.correct]
                for name, term in zip(("accuracy", "partial_accuracy"), terms, strict=True)
            }
            for column, name in ((1, "sy"), (2, "ty")):
                metrics[name] = [found[:, column].sum() / rows for found in where]
        return StepReport(losses, metrics)

    @property
    def pictures(self) -> Mapping[str, Callable[[NDArray], Array[np.uint8]]]:
        return {"crops": self.crops}

    def crops(self, images: NDArray) -> Array[np.uint8]:
        """What the localiser cuts out of ``images`` (n, 3, H, W) RGB 0..255, as uint8 (n, H, W, 3)."""
        with autograd.pause(train_mode=False):
            pixels = self.net.normalise.undo(self.net.part(nd, images).asnumpy())
        return np.clip(np.rint(pixels.transpose(0, 2, 3, 1)), 0, 255).astype(np.uint8)

    def after_step(self, outcome: StepOutcome) -> None:
        super().after_step(outcome)
        self.of_part.after_step(outcome)

    def state(self) -> dict[str, Array[np.generic]]:
        return {**super().state(), **self.of_part.state()}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        super().load_state(state)
        self.of_part.load_state(state)
