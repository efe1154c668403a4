"""The values of a PyTorch net's parameters as a net of ours needs them.

What differs between the two systems is folded into the weights, so that the net gives the same embeddings:

* BGR images: the first convolution's input channels are reversed.
* Pixels scaled in another way: the first convolution takes the factor. Padding is 0 in both, so this is exact.
* BatchNorm with another epsilon: gamma takes ``sqrt((var + ours) / (var + theirs))``. The last BatchNorm, whose gamma
  is held at 1 here, leaves the factor (and PyTorch's gamma) to the embedding layer and to its own running mean.

All this is exact while running statistics are used. In training BatchNorm takes the batch's variance, for which the
folded factor, made from the running one, is right up to epsilon / variance: the net starts from the same function
but for channels whose variance comes near 1e-5. A last gamma other than 1 (both published systems hold it at 1) is lost
there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fairface.interop.torch.family import State, TorchFamily
from fairface.interop.torch.tensors import Array
from fairface.mx import gluon, nd, nn
from fairface.parameters import structural

EPSILON = 1e-5  # of every BatchNorm in PyTorch


def values_for(net: gluon.HybridBlock, family: TorchFamily, state: State) -> dict[str, Array]:
    """Structural name to float32 values for every parameter of ``net``, of which ``state`` must hold a counterpart."""
    values: dict[str, Array] = {}
    for name, parameter in structural(net).items():
        key = family.key(name)
        if key is None:
            values[name] = np.full(parameter.shape, name.endswith(".gamma"), np.float32)
        else:
            values[name] = state[key].astype(np.float32)
    first = f"{family.first}.weight"
    if family.bgr:
        values[first] = values[first][:, ::-1]
    white = float(net.normalise(nd.array([255.0])).asscalar())  # 1.0 with PyTorch's scale, (x - 127.5) / 127.5
    if white != 1.0:
        values[first] = values[first] * np.float32(1.0 / white)
    for layer, norm in batch_norms(net):
        _fold_epsilon(layer, norm, family, values)
    return values


def batch_norms(block: gluon.Block, prefix: str = "") -> Iterator[tuple[str, nn.BatchNorm]]:
    """Structural name of every BatchNorm in ``block``, with the BatchNorm."""
    for name, child in block._children.items():
        if isinstance(child, nn.BatchNorm):
            yield prefix + name, child
        else:
            yield from batch_norms(child, f"{prefix}{name}.")


def _fold_epsilon(layer: str, norm: nn.BatchNorm, family: TorchFamily, values: dict[str, Array]) -> None:
    variance = values[f"{layer}.running_var"].astype(np.float64)
    with np.errstate(invalid="ignore"):  # the caller refuses negative variances
        factor = np.sqrt((variance + norm._kwargs["eps"]) / (variance + EPSILON))
    gamma = (values[f"{layer}.gamma"] * factor).astype(np.float32)
    if layer != family.last or np.all(gamma == 1):
        values[f"{layer}.gamma"] = gamma
        return
    values[f"{layer}.gamma"] = np.ones_like(gamma)
    values[f"{layer}.running_mean"] = values[f"{layer}.running_mean"] * gamma
    values[f"{family.dense}.weight"] = values[f"{family.dense}.weight"] * gamma[:, None]
    values[f"{family.dense}.bias"] = values[f"{family.dense}.bias"] * gamma
