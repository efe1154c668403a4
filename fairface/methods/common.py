"""What methods share around the backbone: a step's embeddings and class loss, and the parameters that train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fairface.heads.classifier import Classifier
from fairface.heads.loss import CrossEntropy
from fairface.heads.sharded import Classified, ShardedClassifier
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
    head: Classifier | ShardedClassifier, criterion: CrossEntropy, embeddings: Sequence[NDArray],
    labels: Sequence[NDArray], statistics: Sequence[Sequence[NDArray]], world: World,
) -> Classified:  # fmt: skip
    """Every row's class loss, and whether its target scores highest, on its own device; of either kind of head.

    Args:
        head: a classifier with copies on all devices, or one that is split over them.
        criterion: the loss of the former; the latter has its own.
        embeddings: each device's (b, D).
        labels: each device's (b,), -1 = unlabeled: loss 0 without gradient.
        statistics: each device's further arguments of the margin.
        world: the devices of the whole batch.
    """
    if isinstance(head, ShardedClassifier):
        return head.losses(embeddings, labels, world, statistics)
    losses, correct = [], []
    for embedding, label, values in zip(embeddings, labels, statistics, strict=True):
        logits = head(embedding, label, *values)
        losses.append(criterion(logits, label))
        correct.append(head.is_correct(embedding, logits, label))
    return Classified(losses, correct)


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
