"""Mean and variance per channel of rows that lie on several devices, and BatchNorm with them; recorded by autograd."""

from __future__ import annotations

from typing import Any

from fairface.mx import NDArray, autograd, nd

_LITTLE = 2.0**-10  # an epsilon that cuDNN takes; with a variance of one less it gives 1 exactly


def statistics(x: NDArray) -> tuple[NDArray, NDArray, NDArray]:
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


def combined(told: NDArray) -> tuple[NDArray, NDArray]:
    """Mean and variance (C,) over the rows of all devices, of ``(devices, 1 + 2C)``: rows, means and variances of each
    (Chan, Golub and LeVeque 1983)."""
    channels = told.shape[1] // 2
    rows = told[:, :1].detach()
    weights = rows / rows.sum()
    means, variances = told[:, 1 : channels + 1], told[:, channels + 1 :]
    mean = nd.broadcast_mul(weights, means).sum(axis=0)
    between = nd.broadcast_sub(means, mean.reshape((1, -1))).square()
    return mean, nd.broadcast_mul(weights, variances + between).sum(axis=0)


def update(running_mean: NDArray, running_var: NDArray, mean: NDArray, var: NDArray, momentum: float) -> None:
    """Move one device's running statistics, in place, towards those of a batch. The variance is the biased one, as
    MXNet's BatchNorm keeps it."""
    with autograd.pause():
        for running, batch in ((running_mean, mean), (running_var, var)):
            running *= momentum
            running += (1 - momentum) * batch


def normalised(
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
