"""VirFace: learn from labeled images and from unlabeled ones of identities with few images each (Li et al. 2021).

VirClass: every unlabeled image of a batch is a class of its own, whose centre is its embedding; the labeled images are
classified among real and virtual classes. VirInstance: a generator, trained on labeled embeddings, makes further
instances of each virtual class, which are classified among all classes too.

``L = L_vc + instance_weight * L_vi + l2_weight * L_l2 + kl_weight * L_kl``. L_vc is the mean over labeled images; L_vi
sums over the instances of a virtual class and is the mean over these classes; L_l2 and L_kl are means over labeled
images and values. Where the released code differs from the paper there is an option (``VirFaceConfig``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairface.config.schema import VirFaceConfig
from fairface.methods.base import ParameterGroup, Stage, StepReport
from fairface.methods.classify import Classify
from fairface.methods.common import embed, trained_groups
from fairface.methods.generator import Generator
from fairface.methods.virface_generation import Generated, generate, reconstruction
from fairface.methods.virface_losses import is_reproduced, unclaimed, unit
from fairface.methods.virface_parts import Part, centres_on, parts_of, virtual_classes
from fairface.mx import NDArray, autograd, gluon, nd
from fairface.parallel import Shard, World

PRETRAIN, GENERATOR, VIRCLASS, VIRFACE = "pretrain", "generator", "virclass", "virface"
WITH_GENERATOR = (GENERATOR, VIRFACE)  # stages that have, and save, a generator
WITH_UNLABELED = (VIRCLASS, VIRFACE)

Statistics = Sequence[tuple[NDArray, ...]]


class VirFace(Classify):
    """VirFace's four stages. The unlabeled images of all devices are virtual classes for the images of every device.

    A batch should not hold two images of one unlabeled identity: they would be drawn apart.

    Args:
        stage: which one this run trains. Only those with a generator have that block, so that no checkpoint holds one
            that was not trained.
        options: weights, and where paper and released code differ.
        generator: for stages generator and virface.
        parts: the arguments of :class:`Classify`; in stages virclass and virface further sources have no labels.
    """

    stages: Mapping[str, Stage] = {
        PRETRAIN: Stage(("backbone", "head")),
        GENERATOR: Stage(("generator",), needs=("backbone", "head")),
        VIRCLASS: Stage(("backbone", "head"), needs=("backbone", "head")),
        VIRFACE: Stage(("backbone", "head", "generator"), needs=("backbone", "head", "generator")),
    }

    def __init__(self, stage: str, options: VirFaceConfig, generator: Generator | None = None, **parts: Any) -> None:
        super().__init__(**parts)
        self.stage = stage
        self.options = options
        self.generator = generator

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        blocks = super().blocks()
        return blocks if self.generator is None else {**blocks, "generator": self.generator}

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        trained = self.stages[stage].trains
        groups = list(super().parameter_groups(stage)) if "head" in trained else []
        self.backbone_is_frozen = "backbone" not in trained
        if "generator" in trained and self.generator is not None:
            groups += trained_groups("generator", self.generator, self.decay_norm)
        return groups

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        embeddings = embed(self.backbone, shards, world, self.backbone_is_frozen)
        if self.stage == PRETRAIN:
            return self.classified(shards, embeddings, world)
        rows = shards[0].source_rows[self.labeled]
        if self.stage == GENERATOR:
            return self._reconstructed(parts_of(shards, embeddings, self.labeled, world), rows, world)
        threshold = self.options.overlap
        parts = parts_of(
            shards, embeddings, self.labeled, world,
            (lambda unlabeled: unclaimed(self.head, unlabeled, threshold)) if threshold else None,
        )  # fmt: skip
        statistics = self.statistics.update([part.labeled for part in parts], [part.labels for part in parts], world)
        report = self._among_virtual_classes(parts, statistics, rows, world)
        if threshold:
            report.metrics["unlabeled_kept"] = [_share(part, shards[0].batch_rows - rows) for part in parts]
        if self.generator is not None:
            self._add_instances(report, self.generator, parts, statistics, rows, world)
        return report

    def _among_virtual_classes(
        self, parts: Sequence[Part], statistics: Statistics, rows: int, world: World
    ) -> StepReport:
        """L_vc; accuracy is that among the real classes."""
        report = StepReport({"loss": []}, {"accuracy": []})
        for part, values in zip(parts, statistics, strict=True):
            centres = centres_on(parts, part.context, world, self.options.centres_train_backbone)
            labeled = nd.Dropout(part.labeled, p=self.options.dropout) if self.options.dropout else part.labeled
            logits = self.head(labeled, part.labels, *values, centres=centres)
            report.losses["loss"].append(self.criterion(logits, part.labels).sum() / rows)
            with autograd.pause():
                real = nd.slice_axis(logits, axis=1, begin=0, end=self.head.classes)
                correct = self.head.is_correct(labeled, real, part.labels)
                report.metrics["accuracy"].append(correct.sum() / rows)
        return report

    def _add_instances(
        self, report: StepReport, generator: Generator, parts: Sequence[Part], statistics: Statistics, rows: int,
        world: World,
    ) -> None:  # fmt: skip
        """L_vi, L_l2 and L_kl."""
        options = self.options
        generated = generate(generator, parts, options.gen_num, options.instances_train_backbone, world)
        summed = max(1, virtual_classes(parts, world)) * (options.gen_num if options.instance_mean else 1)
        report.losses["instances"] = [
            self._instance_loss(part, made, values, parts, world) * (options.instance_weight / summed)
            for part, made, values in zip(parts, generated, statistics, strict=True)
        ]
        report.losses.update(reconstruction(parts, generated, self.head, options, rows))

    def _instance_loss(
        self, part: Part, made: Generated, values: tuple[NDArray, ...], parts: Sequence[Part], world: World
    ) -> NDArray:
        """(1,): sum of the class loss over the instances of a device's virtual classes."""
        if made.instances is None:
            return nd.zeros((1,), ctx=part.context)
        centres = centres_on(parts, part.context, world, self.options.instances_train_backbone)
        first = self.head.classes + part.first
        own = np.tile(np.arange(first, first + part.count), self.options.gen_num)
        labels = nd.array(own, ctx=part.context, dtype="int32")
        logits = self.head(unit(made.instances), labels, *values, centres=centres)
        return self.criterion(logits, labels).sum()

    def _reconstructed(self, parts: Sequence[Part], rows: int, world: World) -> StepReport:
        """Stage generator: L_l2 and L_kl; accuracy tells whose class centre is nearest to the generator's output."""
        assert self.generator is not None
        generated = generate(self.generator, parts, 0, False, world)
        correct = [
            is_reproduced(self.head, made.output, part.labels).sum() / rows
            for part, made in zip(parts, generated, strict=True)
        ]
        return StepReport(reconstruction(parts, generated, self.head, self.options, rows), {"accuracy": correct})


def _share(part: Part, unlabeled: int) -> NDArray:
    """(1,): a device's virtual classes as a share of all unlabeled images of the batch."""
    return nd.full((1,), part.count / unlabeled, ctx=part.context)
