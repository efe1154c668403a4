"""Train an embedding by comparing images: triplets mined within the batch, alone or together with a class loss.

The fair-face system's pair-wise and fusion losses. Batches are P identities x K images; triplets are mined among the
images of all devices, so that one device and several learn the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.source import Source
from fairface.errors import CheckpointError
from fairface.heads.triplets.base import TripletLoss
from fairface.heads.triplets.mining import semi_hard
from fairface.methods.base import Method, ParameterGroup, Stage, StepReport
from fairface.methods.classify import Classify
from fairface.methods.common import backbone_groups, embed
from fairface.mx import NDArray, gluon, nd
from fairface.parallel import Shard, World

_STEP = "triplet.step"
_OLD_STEP = "pair.step"  # in checkpoints from before the method got its name


class TripletTerm:
    """A triplet loss with its mining; counts steps, since the choice of negatives depends on ``(seed, step)``.

    Args:
        loss: the triplet loss.
        images_per_class: K.
        seed: of the run.
        weight: factor on the loss.
    """

    def __init__(self, loss: TripletLoss, images_per_class: int, seed: int, weight: float = 1.0) -> None:
        self.loss = loss
        self.loss.hybridize()
        self.images_per_class = images_per_class
        self.seed = seed
        self.weight = weight
        self.step = 0

    def __call__(
        self, embeddings: Sequence[NDArray], labels: Sequence[NDArray], world: World
    ) -> tuple[list[NDArray], list[NDArray]]:
        """One step: loss and number of triplets, one scalar array per device each; sums over devices are the batch's.

        Every device mines in the whole batch and takes an equal share of its loss: the matrix of distances is small
        beside a backbone's work, and no device waits for another's choice.
        """
        losses, triplets = [], []
        for embedding, label in zip(world.gather(embeddings), world.gather(labels), strict=True):
            chosen = semi_hard(
                embedding, label, self.images_per_class, self.loss.alpha, self.loss.distance, self.seed, self.step
            )
            rows = [nd.take(embedding, index) for index in (chosen.anchor, chosen.positive, chosen.negative)]
            valid = chosen.valid.astype(embedding.dtype)
            losses.append(self.loss(*rows, valid) * (self.weight / world.devices))
            triplets.append(valid.sum() / world.devices)
        self.step += 1
        return losses, triplets

    def state(self) -> dict[str, Array[np.generic]]:
        """The number of steps."""
        return {_STEP: np.array([self.step], np.int64)}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: it is not there.
        """
        saved = state.get(_STEP, state.get(_OLD_STEP))
        if saved is None:
            raise CheckpointError(f"the checkpoint has no {_STEP}; it belongs to another method")
        self.step = int(saved[0])


class TripletMethod(Method):
    """Backbone and triplet loss on one labeled data set.

    Args:
        backbone: ``(B, 3, H, W)`` to ``(B, D)``.
        source: the labeled data with a sampler of P identities x K images.
        term: the triplet loss.
        decay_norm: whether weight decay also acts on BatchNorm's gamma and beta and on biases.
    """

    stages: Mapping[str, Stage] = {"all": Stage(("backbone",))}

    def __init__(self, backbone: gluon.HybridBlock, source: Source, term: TripletTerm, decay_norm: bool = True) -> None:
        self.backbone = backbone
        self.source = source
        self.term = term
        self.decay_norm = decay_norm

    def sources(self) -> Sequence[Source]:
        return [self.source]

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {"backbone": self.backbone}

    def inference(self) -> gluon.HybridBlock:
        return self.backbone

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        return backbone_groups(self.backbone, self.decay_norm)

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        losses, triplets = self.term(embed(self.backbone, shards, world), [shard.labels for shard in shards], world)
        return StepReport({"loss": losses}, {"triplets": triplets})

    def state(self) -> dict[str, Array[np.generic]]:
        return self.term.state()

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        self.term.load_state(state)


class Fused(Classify):
    """Class loss and triplet loss on the same embeddings.

    Args:
        term: the triplet loss, with its weight.
        classify: the arguments of :class:`Classify`.
    """

    stages: Mapping[str, Stage] = {"all": Stage(("backbone", "head"))}

    def __init__(self, term: TripletTerm, **classify: Any) -> None:
        super().__init__(**classify)
        self.term = term

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        embeddings = embed(self.backbone, shards, world)
        report = self.classified(shards, embeddings, world)
        labels = [shard.labels for shard in shards]
        report.losses["triplet"], report.metrics["triplets"] = self.term(embeddings, labels, world)
        return report

    def state(self) -> dict[str, Array[np.generic]]:
        return {**super().state(), **self.term.state()}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        super().load_state(state)
        self.term.load_state(state)
