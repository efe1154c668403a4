"""Methods by name: a configuration to a method with its blocks and data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from fairface.backbones import build_backbone, build_lpd
from fairface.backbones.prelu import prelu_form
from fairface.backbones.region_split import REGION_SPLITS
from fairface.config.regions import embedding_regions
from fairface.config.schema import HeadConfig, SourceConfig, TrainConfig
from fairface.data.loading.open_sources import open_source, open_sources
from fairface.data.loading.source import Source
from fairface.errors import ConfigError
from fairface.heads import build_head, build_sharded_head
from fairface.heads.classifier import Classifier
from fairface.heads.sharded import MomentumRule, ShardedClassifier
from fairface.heads.triplets import build_triplet_loss
from fairface.methods.base import Method
from fairface.methods.branches import Branch
from fairface.methods.classify import Classify, labeled_source
from fairface.methods.generator import Generator
from fairface.methods.lpd import LPD
from fairface.methods.nose_height import with_nose_height
from fairface.methods.triplet import Fused, TripletMethod, TripletTerm
from fairface.methods.uda import UDA
from fairface.methods.unused_keys import (
    refuse_classifier_keys,
    refuse_head_deviation,
    refuse_lpd_keys,
    refuse_source_keys,
)
from fairface.methods.virface import WITH_GENERATOR, WITH_UNLABELED, VirFace
from fairface.mx import gluon


def build_classify(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``classify``: one labeled source, others without labels, backbone and head as configured.

    Raises:
        ConfigError: no data path, no labeled source or several, or fewer than two classes.
    """
    return Classify(**classify_parts(config, on_gpu, open_sources(config)))


def build_triplet(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``triplet``: one labeled data set, backbone and triplet loss as configured.

    Raises:
        ConfigError: no data path, fewer than two classes, batches that are not P identities x K images, or keys of a
            classifier.
    """
    refuse_classifier_keys(config)
    term = _triplet_term(config)
    refuse_source_keys(config, ())
    return TripletMethod(_backbone(config, on_gpu), _open_one(config), term, config.optimizer.decay_norm)


def build_fused(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``fused``: as ``classify``, with the triplet loss added to the class loss.

    Raises:
        ConfigError: as ``classify`` and ``triplet``.
    """
    term = _triplet_term(config, config.triplet.weight)
    return Fused(term, **classify_parts(config, on_gpu, [_open_one(config)]))


def build_virface(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``virface``: one labeled source; in the stages virclass and virface unlabeled ones as well, of which
    no batch holds an image twice.

    Raises:
        ConfigError: as ``classify``; sources that do not fit the stage.
        DataError: an unlabeled source with fewer images than its rows of a batch.
    """
    sources = open_sources(dataclasses.replace(config, sources=_virface_sources(config)))
    parts = classify_parts(config, on_gpu, sources)
    if isinstance(parts["head"], ShardedClassifier):
        raise ConfigError("method virface adds virtual classes to the classifier, which must be whole on each device; "
                          "set head.sharded=false")  # fmt: skip
    generator = None
    if config.stage in WITH_GENERATOR:
        generator = Generator(config.backbone.embedding, config.virface.hidden, config.virface.latent)
    return VirFace(config.stage, config.virface, generator, **parts)


def _virface_sources(config: TrainConfig) -> tuple[SourceConfig, ...]:
    unlabeled = [source.name for source in config.sources if source.unlabeled]
    if config.stage in WITH_UNLABELED and not unlabeled:
        raise ConfigError(
            f"stage {config.stage} learns from labeled and unlabeled images: list both in sources, one with "
            f"unlabeled: true, as in train/configs/virface_{config.stage}.yaml"
        )
    if config.stage in VirFace.stages and config.stage not in WITH_UNLABELED and unlabeled:
        raise ConfigError(f"stage {config.stage} learns from labeled images alone; leave out the source {unlabeled[0]}")
    return tuple(
        dataclasses.replace(source, sampler=dataclasses.replace(source.sampler, kind="distinct"))
        if source.unlabeled else source for source in config.sources
    )  # fmt: skip


def build_uda(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``uda``: one or several labeled sources, each with a head of its own, and unlabeled ones.

    Raises:
        ConfigError: no labeled source, a backbone or head that cannot be made, or weights of the regularisers where the
            backbone has no upper and lower part.
    """
    sources = open_sources(config, mixed=True)
    labeled = [number for number, source in enumerate(sources) if source.is_labeled]
    if not labeled:
        raise ConfigError("method uda needs a labeled source: no record of any source has a label")
    refuse_source_keys(config, labeled, weighted=True)
    branches = []
    for number in labeled:
        head = config.head_of(number)
        made = _head(head, config, sources[number].dataset.num_classes)
        weight, alone = config.all_sources()[number].weight, len(labeled) == 1
        branches.append(Branch(sources[number].name, number, made, weight, head.label_smoothing, alone))
    backbone, optimizer = _backbone(config, on_gpu), config.optimizer
    return UDA(
        backbone, branches, sources, _regions(config), config.uda, optimizer.head_lr_mult, optimizer.decay_norm,
        _head_rule(config),
    )  # fmt: skip


def _regions(config: TrainConfig) -> dict[str, slice] | None:
    """The parts that UDA's regularisers work on; None where both are off."""
    weights = config.uda.masked_weight, config.uda.normal_weight
    if not any(weights):
        return None
    if config.backbone.name not in REGION_SPLITS:
        raise ConfigError(
            f"backbone {config.backbone.name} has no upper and lower part, which uda.masked_weight={weights[0]:g} and "
            f"uda.normal_weight={weights[1]:g} are for: choose split_ir_50 or another split_ir net, or set both to 0"
        )
    return embedding_regions(config.backbone.regions, config.backbone.embedding)


def build_lpd_method(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``lpd``: one labeled source with nose heights, a net with two streams, a head for each.

    Raises:
        ConfigError: as ``classify``; a backbone without a localiser, a split head, a start of its own for a head.
        DataError: a file whose name tells no nose height.
    """
    refuse_source_keys(config, (0,))
    head = config.head_of(0)
    if head.sharded:
        raise ConfigError("method lpd keeps a whole classifier for each stream on each device; set head.sharded=false")
    refuse_head_deviation(head)
    source = with_nose_height(_open_one(config), config.lpd)
    net = build_lpd(config.backbone, config.data.image_size, config.lpd, prelu_form(config.backbone.prelu, on_gpu))
    start = dataclasses.replace(head, deviation=config.lpd.head_deviation)
    heads = [build_head(start, net.channels, source.dataset.num_classes) for _ in range(2)]
    return LPD(
        config.lpd, partial_head=heads[1], backbone=net, head=heads[0], sources=[source],
        label_smoothing=head.label_smoothing, head_lr_mult=config.optimizer.head_lr_mult,
        decay_norm=config.optimizer.decay_norm,
    )  # fmt: skip


def classify_parts(config: TrainConfig, on_gpu: bool, sources: Sequence[Source]) -> dict[str, Any]:
    """The arguments of :class:`Classify`, and of methods that derive from it, as configured.

    Raises:
        ConfigError: no labeled source or several, or a backbone or head that cannot be made.
    """
    labeled = labeled_source(sources, config.method)
    refuse_source_keys(config, (labeled,))
    head = config.head_of(labeled)
    optimizer = config.optimizer
    return {
        "backbone": _backbone(config, on_gpu),
        "head": _head(head, config, sources[labeled].dataset.num_classes),
        "sources": sources,
        "label_smoothing": head.label_smoothing,
        "head_lr_mult": optimizer.head_lr_mult,
        "decay_norm": optimizer.decay_norm,
        "head_rule": _head_rule(config),
    }


def _backbone(config: TrainConfig, on_gpu: bool) -> gluon.HybridBlock:
    refuse_lpd_keys(config)
    return build_backbone(config.backbone, config.data.image_size, on_gpu=on_gpu)


def _head_rule(config: TrainConfig) -> MomentumRule:
    """How the classes of a split head move."""
    optimizer = config.optimizer
    return MomentumRule(optimizer.momentum, optimizer.weight_decay, optimizer.head_lr_mult)


def _head(head: HeadConfig, config: TrainConfig, classes: int) -> Classifier | ShardedClassifier:
    if head.sharded:
        return build_sharded_head(head, config.backbone.embedding, classes, config.seed)
    return build_head(head, config.backbone.embedding, classes)


def _one_source(config: TrainConfig) -> SourceConfig:
    """The one labeled source of methods that train on no more than that."""
    sources = config.all_sources()
    if len(sources) > 1 or sources[0].unlabeled:
        named = ", ".join(f"{source.name}{' (unlabeled)' if source.unlabeled else ''}" for source in sources)
        raise ConfigError(f"method {config.method} trains on one labeled source, but sources names {named}")
    return sources[0]


def _open_one(config: TrainConfig) -> Source:
    return open_source(_one_source(config), config.seed)


def _triplet_term(config: TrainConfig, weight: float = 1.0) -> TripletTerm:
    sampler, batch = _one_source(config).sampler, config.batch_size
    images = sampler.images_per_class
    if sampler.kind != "pk" or images < 2 or batch < 2 * images or batch % images:
        raise ConfigError(
            f"method {config.method} compares images within a batch: set sampler.kind=pk, sampler.images_per_class "
            f"(now {images}) to 2 or more and batch_size (now {batch}) to a multiple of it, at least twice"
        )
    return TripletTerm(build_triplet_loss(config.triplet), images, config.seed, weight)


METHODS: dict[str, Callable[[TrainConfig, bool], Method]] = {
    "classify": build_classify,
    "triplet": build_triplet,
    "fused": build_fused,
    "virface": build_virface,
    "uda": build_uda,
    "lpd": build_lpd_method,
}


def build_method(config: TrainConfig, on_gpu: bool) -> Method:
    """The configured method.

    Raises:
        ConfigError: an unknown name; the known ones are listed.
    """
    if config.method not in METHODS:
        raise ConfigError(f"method is {config.method!r}; it can be: {', '.join(METHODS)}")
    return METHODS[config.method](config, on_gpu)
