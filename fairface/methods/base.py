"""The contract between a method (what one training step does) and the trainer (everything around it)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.source import Source
from fairface.heads.statistics import RunningStatistics
from fairface.mx import NDArray, gluon
from fairface.parallel import Shard, World


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


@dataclass(frozen=True)
class Stage:
    """A part of a method's training that is a run of its own.

    Attributes:
        trains: names of the blocks whose parameters change; all others are frozen.
        needs: names of the blocks that ``start_from`` must bring, because this stage would make no sense with random
            ones.
    """

    trains: tuple[str, ...]
    needs: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class StepOutcome:
    """What became of a step.

    Attributes:
        step: 0-based.
        lr: learning rate of the update.
        loss_scale: factor that was on the loss; 1 but for float16.
        applied: False where gradients overflowed and nothing was updated.
    """

    step: int
    lr: float
    loss_scale: float
    applied: bool


class Updater(Protocol):
    """Updates some of a method's parameters; the run's optimizer is one.

    A block whose arrays are no copies on all devices (class centres split over them, rows that are sampled) brings its
    own.

    Attributes:
        name: begins the names of its arrays in a checkpoint; no dot in it.
        parameters: what it updates; the trainer freezes every other parameter.
        is_split: whether every process holds arrays of its own (rows of one whole), not copies. Their gradients are not
            added up over processes, and every process takes part in :meth:`state` and :meth:`spread`.
    """

    name: str
    parameters: Sequence[gluon.Parameter]
    is_split: bool = False

    def gradients(self) -> Sequence[Sequence[NDArray]]:
        """Bring the step's gradients together over devices; then one item for each gradient, with its copies, equal on
        all devices that hold one. Called once a step, after the backward pass."""

    def update(self, lr: float, loss_scale: float) -> None:
        """Apply the gradients, which still carry the factor ``loss_scale``. Not called when they are not finite."""

    def state(self) -> dict[str, NDArray]:
        """Arrays on the CPU that a resumed run needs, by name without :attr:`name`; of one that is split, rank 0 alone
        gets them."""

    def load_state(self, state: Mapping[str, NDArray], source: str) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: an array is missing or has another shape; ``source`` names the file.
        """

    def spread(self) -> None:
        """Give every process its part of what rank 0 has loaded; before the first step, where it is split."""
        return None


class Method(Protocol):
    """What one training step does. The trainer knows no method by name.

    A method derives from this class: what has a body here is the usual case.
    """

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The stages by name; the first is the default."""

    def sources(self) -> Sequence[Source]:
        """Data sets with their batch sizes and samplers, in the order of a batch's rows."""

    @property
    def reads(self) -> Mapping[str, str]:
        """The columns of ``Shard.extra`` that :meth:`losses` takes, each with what to do where a source has none."""
        return {}

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        """Every block that is saved, by name. The one of :meth:`inference` is among them.

        A block may say itself what its arrays are (:class:`fairface.parameters.OwnArrays`).
        """

    @property
    def parts_of_embedding(self) -> Mapping[str, slice]:
        """The blocks with a weight for each class, each with the values of an embedding that it classifies."""
        return {"head": slice(None)}

    def classified_source(self, block: str) -> int:
        """The position of the source whose identities ``block``, one of :attr:`parts_of_embedding`, tells apart."""
        return next(number for number, source in enumerate(self.sources()) if source.is_labeled)

    @property
    def margin_statistics(self) -> Mapping[str, RunningStatistics]:
        """The blocks whose margin takes statistics of whole batches, each with what is kept of them."""
        return {}

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        """What the run's optimizer updates in ``stage``; a parameter that is in no group and that none of
        :meth:`updaters` updates is frozen by the trainer. Called once, before the first step."""

    def updaters(self, stage: str) -> Sequence[Updater]:
        """Updaters of blocks that the run's optimizer does not update; called once, when parameters have values."""
        return ()

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        """The step's losses; called while autograd records, in training mode."""

    def after_step(self, outcome: StepOutcome) -> None:
        """Called after each step (moving averages, statistics that are kept)."""
        return None

    def state(self) -> dict[str, Array[np.generic]]:
        """Arrays besides the parameters that a resumed run needs."""
        return {}

    def load_state(self, state: Mapping[str, Array[np.generic]]) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: an array is missing.
        """
        return None

    @property
    def pictures(self) -> Mapping[str, Callable[[NDArray], Array[np.uint8]]]:
        """What is worth a look once an epoch: a name to what makes as many uint8 images (n, H, W, 3) of images
        (n, 3, H, W) RGB 0..255."""
        return {}

    def inference(self) -> gluon.HybridBlock:
        """The block that is evaluated and exported: ``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``."""
