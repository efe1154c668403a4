"""What methods share around the backbone: a step's embeddings, and the parameters that train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairface.methods.base import ParameterGroup
from fairface.mx import NDArray, autograd, gluon
from fairface.parallel import Shard
from fairface.parameters import structural


def embed(backbone: gluon.HybridBlock, shards: Sequence[Shard], frozen: bool = False) -> list[NDArray]:
    """Each device's embeddings ``(b, D)``.

    A frozen backbone neither keeps intermediate results for a backward pass nor uses batch statistics.
    """
    if not frozen:
        return [backbone(shard.images) for shard in shards]
    with autograd.pause(train_mode=False):
        return [backbone(shard.images) for shard in shards]


def backbone_groups(backbone: gluon.HybridBlock, decay_norm: bool) -> list[ParameterGroup]:
    """All of the backbone; without ``decay_norm`` weight decay acts on weights only, not on BatchNorm and biases."""
    parameters: Mapping[str, gluon.Parameter] = {f"backbone.{name}": p for name, p in structural(backbone).items()}
    if decay_norm:
        return [ParameterGroup("backbone", parameters)]
    weights = {name: p for name, p in parameters.items() if name.endswith("weight")}
    others = {name: p for name, p in parameters.items() if name not in weights}
    return [ParameterGroup("backbone", weights), ParameterGroup("backbone norm", others, wd_mult=0.0)]
