"""The contract between a method (what one training step does) and the trainer (everything around it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.source import Source
from fairface.mx import NDArray, gluon
from fairface.parallel import Shard


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that are trained alike.

    Attributes:
        name: for people, such as ``backbone``.
        parameters: structural name to parameter, in structural order; optimizer states are saved under these names.
        lr_mult, wd_mult: factors on the run's learning rate and weight decay.
    """

    name: str
    parameters: Mapping[str, gluon.Parameter]
    lr_mult: float = 1.0
    wd_mult: float = 1.0


@dataclass
class StepReport:
    """What :meth:`Method.losses` hands the trainer: the loss and numbers worth a look.

    Attributes:
        losses: name to one scalar array per context. Each is already divided by the size of the whole batch, so the
            sum over contexts is the batch's loss, and gradients add up to the batch's gradient. All are minimised.
        metrics: name to one scalar array per context, summed over contexts for the log; no gradient flows through them.
    """

    losses: dict[str, list[NDArray]]
    metrics: dict[str, list[NDArray]] = field(default_factory=dict)


class Method(Protocol):
    """What one training step does. The trainer knows no method by name."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that :meth:`parameter_groups` knows; the first is the default."""

    def sources(self) -> Sequence[Source]:
        """Data sets with their batch sizes and samplers, in the order of a batch's rows."""

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        """Every block that is saved, by name. The one of :meth:`inference` is among them."""

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        """What ``stage`` trains; every parameter that is in no group is frozen by the trainer."""

    def losses(self, shards: Sequence[Shard]) -> StepReport:
        """The step's losses; called while autograd records, in training mode."""

    def after_step(self) -> None:
        """Called after each update (moving averages, sampled rows)."""

    def state(self) -> dict[str, Array[np.generic]]:
        """Arrays beside the parameters that a resumed run needs."""

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave."""

    def inference(self) -> gluon.HybridBlock:
        """The block that is evaluated and exported: ``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``."""
