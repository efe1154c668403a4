"""BatchNorm over the rows of all devices (synchronous BatchNorm; Peng et al. 2018, MegDet; Zhang et al. 2018, EncNet).

MXNet's own, ``contrib.SyncBatchNorm``, halts the thread of an engine until the other devices come: on CPUs it never
goes on, on any device two branches of a network can wait for each other, and its means assume that all devices have
equally many rows. Here devices bring their means and variances together as recorded arrays, so nothing but Python waits
for anything, gradients are autograd's, and devices count by their rows.

A network stays what it was: same layers, parameters and graph. Only while :func:`in_lockstep` runs it in training is
the operator BatchNorm exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fairface.backbones.batch_statistics import combined, normalised, statistics, update
from fairface.backbones.lockstep import Lockstep
from fairface.mx import NDArray, autograd, gluon, nn
from fairface.parallel import World


def synchronise(net: gluon.Block) -> None:
    """Prepare every BatchNorm in ``net`` for :func:`in_lockstep`."""
    for layer in _layers(net):
        if isinstance(layer, nn.BatchNorm) and not isinstance(layer.hybrid_forward, Synchronised):
            layer.hybrid_forward = Synchronised(layer.hybrid_forward)


def is_synchronised(net: gluon.Block) -> bool:
    """Whether ``net`` has a BatchNorm that was prepared."""
    return bool(_prepared(net))


def in_lockstep(net: gluon.HybridBlock, inputs: Sequence[NDArray], world: World) -> list[Any]:
    """What ``net`` makes of each device's input, BatchNorm taking the rows of all devices of all processes.

    Args:
        net: prepared by :func:`synchronise`; called with one array.
        inputs: ``(b, …)`` for each context of ``world``, in their order; b may differ.
    """
    lockstep, layers = Lockstep(world), [layer for layer in _layers(net) if isinstance(layer, gluon.HybridBlock)]
    active = [layer._active for layer in layers]
    try:
        for layer in layers:
            layer._active = False  # a traced graph runs on one device from end to end
        for prepared in _prepared(net):
            prepared.lockstep = lockstep
        return lockstep.run(lambda device: net(inputs[device]))
    finally:
        for prepared in _prepared(net):
            prepared.lockstep = None
        for layer, before in zip(layers, active, strict=True):
            layer._active = before


class Synchronised:
    """The ``hybrid_forward`` of one BatchNorm layer, which uses :class:`_Operators` while there is a lockstep.

    Attributes:
        lockstep: of the devices that run the layer together; None: each for itself.
    """

    def __init__(self, forward: Any) -> None:
        self.forward = forward
        self.lockstep: Lockstep | None = None

    def __call__(self, F: Any, x: Any, **parameters: Any) -> Any:
        return self.forward(F if self.lockstep is None else _Operators(F, self.lockstep), x, **parameters)


class _Operators:
    """MXNet's operators, with another BatchNorm."""

    def __init__(self, operators: Any, lockstep: Lockstep) -> None:
        self._operators, self._lockstep = operators, lockstep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operators, name)

    def BatchNorm(
        self, x: NDArray, gamma: NDArray, beta: NDArray, running_mean: NDArray, running_var: NDArray, name: str = "",
        **options: Any,
    ) -> NDArray:  # fmt: skip
        """The operator of this name; with ``use_global_stats`` and outside of training as ever."""
        if options["use_global_stats"] or not autograd.is_training():
            return self._operators.BatchNorm(x, gamma, beta, running_mean, running_var, name=name, **options)
        shifted, told, reference = statistics(x)
        mean, var = self._lockstep.meet(told, combined)
        update(running_mean, running_var, mean, var, options["momentum"])
        return normalised(shifted, gamma, beta, mean - reference, var, options)


def _layers(net: gluon.Block) -> Iterator[gluon.Block]:
    yield net
    for child in net._children.values():
        yield from _layers(child)


def _prepared(net: gluon.Block) -> list[Synchronised]:
    found = (getattr(layer, "hybrid_forward", None) for layer in _layers(net))
    return [forward for forward in found if isinstance(forward, Synchronised)]
