"""SGD with momentum for class centres that lie on several devices, and for the classes of a sample only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairface.errors import CheckpointError
from fairface.heads.sharded.classifier import ShardedClassifier
from fairface.mx import NDArray, gluon

MOMENTUM = "momentum"


@dataclass(frozen=True)
class MomentumRule:
    """SGD as MXNet's: ``v = momentum * v - lr * (gradient + weight_decay * w)``, ``w = w + v``.

    Attributes:
        momentum: 0 to below 1.
        weight_decay: of the centres; where classes are sampled, it acts on those of the step only.
        lr_mult: factor on the run's learning rate.
    """

    momentum: float = 0.9
    weight_decay: float = 5e-4
    lr_mult: float = 1.0


class ShardUpdater:
    """Updates a :class:`ShardedClassifier`; follows the contract of :class:`fairface.methods.base.Updater`.

    gluon.Trainer wants copies of every parameter on all devices. Here each device updates its own classes, and only
    those of the step: centres and momentum of classes that were not sampled keep every bit.

    Args:
        head: has been initialised; its centres get gradients from now on.
        rule: how they move.
        name: of the head's block; the updater's arrays are saved under it.
    """

    parameters: Sequence[gluon.Parameter] = ()  # the head's arrays are its own
    is_split = True

    def __init__(self, head: ShardedClassifier, rule: MomentumRule, name: str = "head") -> None:
        self.name = name
        self.head = head
        self.rule = rule
        own = [head.store.zeros(s.weight.shape, s.weight.context, s.weight.dtype) for s in head.shards]
        for shard, zeros in zip(head.shards, own, strict=True):
            shard.train(zeros)
        self._momentum = head.split(MOMENTUM, own)

    def gradients(self) -> list[list[NDArray]]:
        """One item per device: a class lies on one device only, so nothing is summed."""
        return [[shard.active.grad] for shard in self.head.shards]

    def update(self, lr: float, loss_scale: float) -> None:
        """Move the centres of the step's classes."""
        for shard in self.head.shards:
            shard.update(lr * self.rule.lr_mult, self.rule.momentum, self.rule.weight_decay, loss_scale)

    def state(self) -> dict[str, NDArray]:
        """The momentum of all classes, (C, D), whatever the number of devices; of several workers that all call it,
        worker 0 alone gets it."""
        return self._momentum.read()

    def spread(self) -> None:
        """Give every worker its classes' part of what worker 0 has loaded."""
        self._momentum.spread()

    def load_state(self, state: Mapping[str, NDArray], source: str) -> None:
        """Take back what :meth:`state` gave, cut for the devices of now.

        Raises:
            CheckpointError: it is missing or has another shape.
        """
        if {name: array.shape for name, array in state.items()} != self._momentum.shapes:
            raise CheckpointError(
                f"{source}: has no fitting optimizer state for {self.name}.weight; use start_from instead"
            )
        for name, rows in self._momentum.arrays.items():
            self._momentum.write(state[name], rows.start)
