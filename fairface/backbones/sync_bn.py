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

from fairface.backbones.lockstep import Lockstep
from fairface.mx import NDArray, autograd, gluon, nd, nn
from fairface.parallel import World

_LITTLE = 2.0**-10  # an epsilon that cuDNN takes; with a variance of one less it gives 1 exactly


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
        shifted, told, reference = _statistics(x)
        mean, var = self._lockstep.meet(told, _combined)
        _update(running_mean, running_var, mean, var, options["momentum"])
        return _normalised(shifted, gamma, beta, mean - reference, var, options)


def _statistics(x: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """``x (b, C, …)`` less a reference near its mean, which is a constant; rows, mean and variance of ``x``, one after
    the other (1, 1 + 2C); the reference (C,).

    Of values around 0 the mean of squares loses nothing.
    """
    reference = _mean(x.detach())
    shifted = _less(x, reference)
    gap = _mean(shifted)
    rows = nd.full((1,), x.size // x.shape[1], ctx=x.context)
    told = nd.concat(rows, gap + reference, _mean(shifted.square()) - gap.square(), dim=0)
    return shifted, told.reshape((1, -1)), reference


def _less(x: NDArray, reference: NDArray) -> NDArray:
    """``x - reference``. Of maps by oneDNN, whose layout it keeps: BatchNorm with given statistics and deviation 1."""
    if x.ndim != 4:
        return nd.broadcast_sub(x, reference.reshape((1, -1, *[1] * (x.ndim - 2))))
    ones = nd.ones_like(reference)
    deviation = ones - _LITTLE
    return nd.BatchNorm(x, ones, 0 * ones, reference, deviation, eps=_LITTLE, fix_gamma=False, use_global_stats=True)


def _mean(x: NDArray) -> NDArray:
    """Over everything but the channels, (C,); of maps by a pooling, which oneDNN has."""
    if x.ndim == 4:
        x = nd.Pooling(x, pool_type="avg", global_pool=True)
    return x.mean(axis=(0, *range(2, x.ndim)))


def _combined(told: NDArray) -> tuple[NDArray, NDArray]:
    """Mean and variance (C,) over the rows of all devices, of ``(devices, 1 + 2C)``: rows, means and variances of each
    (Chan, Golub and LeVeque 1983)."""
    channels = told.shape[1] // 2
    rows = told[:, :1].detach()
    weights = rows / rows.sum()
    means, variances = told[:, 1 : channels + 1], told[:, channels + 1 :]
    mean = nd.broadcast_mul(weights, means).sum(axis=0)
    between = nd.broadcast_sub(means, mean.reshape((1, -1))).square()
    return mean, nd.broadcast_mul(weights, variances + between).sum(axis=0)


def _update(running_mean: NDArray, running_var: NDArray, mean: NDArray, var: NDArray, momentum: float) -> None:
    with autograd.pause():
        for running, batch in ((running_mean, mean), (running_var, var)):
            running *= momentum
            running += (1 - momentum) * batch


def _normalised(
    x: NDArray, gamma: NDArray, beta: NDArray, mean: NDArray, var: NDArray, options: dict[str, Any]
) -> NDArray:
    """``gamma (x - mean) / sqrt(var + eps) + beta``, with gradients of mean and var, by the operator that has none.

    With given statistics it takes these for constants mean0 and var0. So factor and shift carry their gradients: they
    have the values of gamma and beta, and depend on mean and var as ``gamma sqrt((var0 + eps) / (var + eps))`` and
    ``beta + gamma (mean0 - mean) / sqrt(var + eps)`` do. The output's derivatives are then those of the formula above.
    """
    epsilon = options["eps"]
    mean0, var0 = mean.detach(), var.detach()
    scale = (var + epsilon).rsqrt()
    if not options["fix_gamma"]:
        scale = scale * gamma
    factor = scale * (var0 + epsilon).sqrt()
    shift = beta + scale * (mean0 - mean)
    return nd.BatchNorm(x, factor, shift, mean0, var0, eps=epsilon, fix_gamma=False, use_global_stats=True)


def _layers(net: gluon.Block) -> Iterator[gluon.Block]:
    yield net
    for child in net._children.values():
        yield from _layers(child)


def _prepared(net: gluon.Block) -> list[Synchronised]:
    found = (getattr(layer, "hybrid_forward", None) for layer in _layers(net))
    return [forward for forward in found if isinstance(forward, Synchronised)]
