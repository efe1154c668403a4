"""Methods by name: a configuration to a method with its blocks and data."""

from __future__ import annotations

from collections.abc import Callable

from fairface.backbones import build_backbone
from fairface.config.schema import TrainConfig
from fairface.data.cached import decode_all
from fairface.data.loader import Source
from fairface.data.opening import open_dataset
from fairface.data.samplers import build_sampler
from fairface.data.selection import select
from fairface.errors import ConfigError
from fairface.heads import build_head
from fairface.methods.base import Method
from fairface.methods.classify import Classify


def build_classify(config: TrainConfig, on_gpu: bool) -> Method:
    """The method ``classify``: one labeled data set, backbone and head as configured.

    Raises:
        ConfigError: no data path, or fewer than two classes.
    """
    if not config.data.path:
        raise ConfigError("data.path is not set; name a folder of people, a folder with train.rec, or a list file")
    dataset = select(open_dataset(config.data.path), config.data)
    if dataset.num_classes < 2:
        raise ConfigError(f"{config.data.path}: {dataset.num_classes} person; a classifier needs at least two")
    if config.data.in_memory:
        dataset = decode_all(
            dataset,
            config.data.image_size,
            config.data.resize,
            config.data.threads,
            skip_bad=config.data.on_bad_record == "skip",
        )
    sampler = build_sampler(config.sampler, dataset.labels, config.batch_size, config.seed)
    return Classify(
        build_backbone(config.backbone, config.data.image_size, on_gpu=on_gpu),
        build_head(config.head, config.backbone.embedding, dataset.num_classes),
        Source(dataset, config.batch_size, sampler),
        label_smoothing=config.head.label_smoothing,
        head_lr_mult=config.optimizer.head_lr_mult,
        decay_norm=config.optimizer.decay_norm,
    )


METHODS: dict[str, Callable[[TrainConfig, bool], Method]] = {"classify": build_classify}


def build_method(config: TrainConfig, on_gpu: bool) -> Method:
    """The configured method.

    Raises:
        ConfigError: an unknown name; the known ones are listed.
    """
    if config.method not in METHODS:
        raise ConfigError(f"method is {config.method!r}; it can be: {', '.join(METHODS)}")
    return METHODS[config.method](config, on_gpu)
