"""UDA: labeled faces and unlabeled masked ones in one batch (UFace, Huang 2023: Unlabeled Data Assistant).

``L = class losses of the branches + masked_weight * L1 - normal_weight * L2`` (:mod:`fairface.methods.part_norms`).
The masked faces have no label and no class loss: they go through BatchNorm with the others, and L1 draws the lower part
of their embeddings, which shows the mask, to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.config.schema import UDAConfig
from fairface.data.loading.source import Source
from fairface.heads.sharded import MomentumRule
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import Method, ParameterGroup, Stage, StepOutcome, StepReport, Updater
from fairface.methods.branches import Branch
from fairface.methods.common import backbone_groups, embed
from fairface.methods.part_norms import PartNorms, part_norms
from fairface.mx import NDArray, gluon, nd
from fairface.parallel import Shard, World


class UDA(Method):
    """One or several branches, unlabeled sources, and the two regularisers over all rows of a batch.

    Args:
        backbone: ``(B, 3, H, W)`` to ``(B, D)``.
        branches: the labeled sources with their heads.
        sources: all sources, in the order of a batch's rows; masked faces are rows with label -1, wherever they stand.
        regions: which values of an embedding are its upper and its lower part; None switches the regularisers off.
        options: their weights, and what the class loss is divided by.
        head_lr_mult: learning rate of the heads relative to the backbone's.
        decay_norm: whether weight decay also acts on BatchNorm's gamma and beta and on biases.
        head_rule: how the classes of split heads move; None = by default.
    """

    stages: Mapping[str, Stage] = {"all": Stage(("backbone", "head")), "head": Stage(("head",))}

    def __init__(
        self, backbone: gluon.HybridBlock, branches: Sequence[Branch], sources: Sequence[Source],
        regions: Mapping[str, slice] | None, options: UDAConfig, head_lr_mult: float = 1.0, decay_norm: bool = True,
        head_rule: MomentumRule | None = None,
    ) -> None:  # fmt: skip
        self.backbone = backbone
        self.branches = tuple(branches)
        self._terms = [branch.term for branch in branches]
        self.data = tuple(sources)
        self.regions = regions
        self.options = options
        self.head_lr_mult, self.decay_norm = head_lr_mult, decay_norm
        self.head_rule = head_rule or MomentumRule()
        of_branches = {branch.source for branch in branches}
        self.unlabeled = [number for number in range(len(self.data)) if number not in of_branches]
        self.backbone_is_frozen = False

    def sources(self) -> Sequence[Source]:
        return self.data

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {"backbone": self.backbone, **{term.block: term.head for term in self._terms}}

    def inference(self) -> gluon.HybridBlock:
        return self.backbone

    @property
    def parts_of_embedding(self) -> Mapping[str, slice]:
        return {term.block: slice(None) for term in self._terms}

    def classified_source(self, block: str) -> int:
        return next(branch.source for branch in self.branches if branch.term.block == block)

    @property
    def margin_statistics(self) -> Mapping[str, RunningStatistics]:
        return {term.block: term.statistics for term in self._terms}

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        self.backbone_is_frozen = "backbone" not in self.stages[stage].trains
        groups = [] if self.backbone_is_frozen else list(backbone_groups(self.backbone, self.decay_norm))
        return [*groups, *(group for term in self._terms for group in term.parameter_groups(self.head_lr_mult))]

    def updaters(self, stage: str) -> Sequence[Updater]:
        return [updater for term in self._terms for updater in term.updaters(self.head_rule)]

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        embeddings = embed(self.backbone, shards, world, self.backbone_is_frozen)
        report = StepReport({})
        for branch in self.branches:
            losses, metrics = branch.classified(shards, embeddings, self.unlabeled, self.options.mean, world)
            report.losses.update(losses)
            report.metrics.update(metrics)
        if self.regions is not None:
            labels = [shard.labels for shard in shards]
            norms = part_norms(embeddings, labels, self.regions, world)
            self._add_regularisers(report, norms, embeddings, world)
        return report

    def _add_regularisers(
        self, report: StepReport, norms: PartNorms, embeddings: Sequence[NDArray], world: World
    ) -> None:
        """Every process computes the same on its first device and takes an equal share."""

        def first_only(value: NDArray) -> list[NDArray]:
            return [value / world.size, *(nd.zeros((1,), ctx=embedding.context) for embedding in embeddings[1:])]

        if self.options.masked_weight:
            report.losses["masked"] = first_only(norms.masked_loss * self.options.masked_weight)
        if self.options.normal_weight:
            report.losses["normal"] = first_only(norms.normal_loss * -self.options.normal_weight)
        for name, value in {**norms.lengths, **norms.ratios}.items():
            report.metrics[name] = first_only(value.detach())

    def after_step(self, outcome: StepOutcome) -> None:
        """Keep the heads' statistics."""
        for term in self._terms:
            term.after_step(outcome)

    def state(self) -> dict[str, Array[np.generic]]:
        return {name: value for term in self._terms for name, value in term.state().items()}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: an array is missing.
        """
        for term in self._terms:
            term.load_state(state)
