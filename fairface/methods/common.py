"""What methods share around the backbone: a step's embeddings and class loss, and the parameters that train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fairface.heads.classifier import Classifier
from fairface.heads.loss import CrossEntropy
from fairface.heads.statistics import RunningStatistics
from fairface.methods.base import ParameterGroup
from fairface.mx import NDArray, autograd, gluon, nn
from fairface.parallel import Shard, World
from fairface.parameters import structural


def embed(backbone: gluon.HybridBlock, shards: Sequence[Shard], frozen: bool = False) -> list[NDArray]:
    """Each device's embeddings ``(b, D)``.

    A frozen backbone neither keeps intermediate results for a backward pass nor uses batch statistics.
    """
    if not frozen:
        return [backbone(shard.images) for shard in shards]
    with autograd.pause(train_mode=False):
        return [backbone(shard.images) for shard in shards]


def class_losses(
    head: Classifier, statistics: RunningStatistics, criterion: CrossEntropy, shards: Sequence[Shard],
    embeddings: Sequence[NDArray], world: World, rows: int,
) -> tuple[list[NDArray], list[NDArray]]:  # fmt: skip
    """The class loss of a step's embeddings and the share that is classified right, one scalar a device each; both are
    divided by ``rows``, statistics are taken over the batch of all devices."""
    losses, correct = [], []
    measured = statistics.update(embeddings, [shard.labels for shard in shards], world)
    for shard, embedding, values in zip(shards, embeddings, measured, strict=True):
        logits = head(embedding, shard.labels, *values)
        losses.append(criterion(logits, shard.labels).sum() / rows)
        with autograd.pause():
            correct.append(head.is_correct(embedding, logits, shard.labels).sum() / rows)
    return losses, correct


def backbone_groups(backbone: gluon.HybridBlock, decay_norm: bool) -> list[ParameterGroup]:
    """All of the backbone; without ``decay_norm`` no weight decay acts on BatchNorm's parameters and on biases."""
    parameters: Mapping[str, gluon.Parameter] = {f"backbone.{name}": p for name, p in structural(backbone).items()}
    if decay_norm:
        return [ParameterGroup("backbone", parameters)]
    spared = {f"backbone.{name}" for name in _norm_names(backbone)}
    others = {name: p for name, p in parameters.items() if name in spared or name.endswith("bias")}
    decayed = {name: p for name, p in parameters.items() if name not in others}
    return [ParameterGroup("backbone", decayed), ParameterGroup("backbone norm", others, wd_mult=0.0)]


def _norm_names(block: gluon.Block, prefix: str = "") -> Iterator[str]:
    """Structural names of the parameters of every BatchNorm in ``block``. Their own names would not tell: a slope of
    PReLU is called gamma too."""
    for name, child in block._children.items():
        if isinstance(child, nn.BatchNorm):
            yield from (f"{prefix}{name}.{own}" for own in structural(child))
        else:
            yield from _norm_names(child, f"{prefix}{name}.")
