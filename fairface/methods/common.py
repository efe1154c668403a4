"""What methods share around the backbone: a step's embeddings, and the parameters that train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fairface.backbones.sync_bn import in_lockstep, is_synchronised
from fairface.methods.base import ParameterGroup
from fairface.mx import NDArray, autograd, gluon, nn
from fairface.parallel import Shard, World
from fairface.parameters import structural


def embed(backbone: gluon.HybridBlock, shards: Sequence[Shard], world: World, frozen: bool = False) -> list[NDArray]:
    """Each device's embeddings ``(b, D)``; with ``backbone.sync_bn`` BatchNorm sees the rows of all devices.

    A frozen backbone neither keeps intermediate results for a backward pass nor uses batch statistics.
    """
    if not frozen and world.devices > 1 and is_synchronised(backbone):
        return in_lockstep(backbone, [shard.images for shard in shards], world)
    if not frozen:
        return [backbone(shard.images) for shard in shards]
    with autograd.pause(train_mode=False):
        return [backbone(shard.images) for shard in shards]


def backbone_groups(backbone: gluon.HybridBlock, decay_norm: bool) -> list[ParameterGroup]:
    """All of the backbone; see :func:`trained_groups`."""
    return trained_groups("backbone", backbone, decay_norm)


def trained_groups(block_name: str, block: gluon.HybridBlock, decay_norm: bool) -> list[ParameterGroup]:
    """All of a block; without ``decay_norm`` no weight decay acts on BatchNorm's parameters and on biases."""
    parameters: Mapping[str, gluon.Parameter] = {f"{block_name}.{name}": p for name, p in structural(block).items()}
    if decay_norm:
        return [ParameterGroup(block_name, parameters)]
    spared = {f"{block_name}.{name}" for name in _norm_names(block)}
    others = {name: p for name, p in parameters.items() if name in spared or name.endswith("bias")}
    decayed = {name: p for name, p in parameters.items() if name not in others}
    return [ParameterGroup(block_name, decayed), ParameterGroup(f"{block_name} norm", others, wd_mult=0.0)]


def _norm_names(block: gluon.Block, prefix: str = "") -> Iterator[str]:
    """Structural names of the parameters of every BatchNorm in ``block``. Their own names would not tell: a slope of
    PReLU is called gamma too."""
    for name, child in block._children.items():
        if isinstance(child, nn.BatchNorm):
            yield from (f"{prefix}{name}.{own}" for own in structural(child))
        else:
            yield from _norm_names(child, f"{prefix}{name}.")
