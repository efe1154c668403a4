"""What the values of a configuration must fulfil together, beyond the limits that stand beside each key."""

from __future__ import annotations

import re

from fairface.config.limits import check_fields
from fairface.config.schema import AugmentConfig, DataConfig, HeadConfig, SamplerConfig, SourceConfig, TrainConfig
from fairface.errors import ConfigError

_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)  # can stand in sources.<name>.data.path, and is no position
_RUN_WIDE = ("image_size", "threads", "prefetch")  # of data: one value for all sources


def check(config: TrainConfig) -> None:
    """Raise :class:`ConfigError` for the first value that is not allowed; says which key and what is allowed."""
    check_fields(config)
    if config.sources:
        _check_sources(config)
    else:
        check_augment(config.augment)
        _check_crop(config.augment, config.data)
        _check_sampler(config.sampler, config.batch_size)
    if config.verify.monitor.endswith("_worst") and not (config.verify.protected and config.verify.fmr):
        raise ConfigError(f"verify.monitor={config.verify.monitor} needs verify.protected=sex and a verify.fmr")
    _check_head(config.head, config)
    if config.backbone.sync_bn and config.precision != "fp32":
        raise ConfigError(
            f"backbone.sync_bn brings statistics together in single precision, but precision is {config.precision}; "
            "set precision=fp32 or backbone.sync_bn=false"
        )
    if config.devices and config.gpus:
        raise ConfigError("both devices and gpus are set; gpus=0,1 is short for devices=gpu0,gpu1: give one of them")
    if config.name in ("", ".") or any(part in config.name for part in ("/", "\\", "..", "@", ",")):
        raise ConfigError(
            f"name is {config.name!r}; it names a folder below {config.output!r}: no / .. @ or comma in it"
        )


def check_augment(config: AugmentConfig, prefix: str = "augment.") -> None:
    """Raise :class:`ConfigError` for the first value of an ``augment`` group that is not allowed."""
    check_fields(config, prefix)
    low, high = config.jpeg_quality
    if low > high:
        raise ConfigError(f"{prefix}jpeg_quality is {[low, high]}; give two qualities from 1 to 100, the lower first")


def _check_crop(augment: AugmentConfig, data: DataConfig, prefix: str = "") -> None:
    if augment.centre_crop and data.in_memory:
        raise ConfigError(
            f"{prefix}data.in_memory keeps images at data.image_size, but {prefix}augment.centre_crop cuts them out of "
            "larger ones: set one of the two"
        )


def _check_sampler(config: SamplerConfig, batch_size: int, prefix: str = "") -> None:
    if config.kind == "pk" and batch_size % config.images_per_class:
        raise ConfigError(
            f"{prefix}batch_size {batch_size} is not a multiple of "
            f"{prefix}sampler.images_per_class {config.images_per_class}"
        )


def _check_head(head: HeadConfig, config: TrainConfig, prefix: str = "") -> None:
    if not head.sharded:
        for key, usual in (("sample_rate", 1.0), ("scratch", "")):
            if getattr(head, key) != usual:
                raise ConfigError(
                    f"{prefix}head.{key} is {getattr(head, key)}, but {prefix}head.sharded is false; set it to true"
                )
        return
    if head.scratch and head.sample_rate == 1:
        raise ConfigError(f"{prefix}head.scratch is for sampled classes; set {prefix}head.sample_rate below 1")
    if config.optimizer.name != "sgd":
        raise ConfigError(
            f"optimizer.name is {config.optimizer.name}, but {prefix}head.sharded=true updates classes by sgd; "
            "set optimizer.name=sgd"
        )


def _check_sources(config: TrainConfig) -> None:
    for number, source in enumerate(config.sources):
        if not _NAME.fullmatch(source.name):
            raise ConfigError(
                f"sources.{number}.name is {source.name!r}; give each source a name of letters, digits, _ and -"
            )
        if source.name in [other.name for other in config.sources[:number]]:
            raise ConfigError(f"two sources have the name {source.name}; give each source its own name")
        _check_source(source, config)
    total = sum(source.batch_size for source in config.sources)
    if config.batch_size != total:
        raise ConfigError(
            f"batch_size is {config.batch_size}, but the batch sizes of the sources add up to {total}; leave it out"
        )


def _check_source(source: SourceConfig, config: TrainConfig) -> None:
    prefix = f"sources.{source.name}."
    check_fields(source, prefix)
    check_augment(source.augment, f"{prefix}augment.")
    _check_crop(source.augment, source.data, prefix)
    if source.head is not None:
        _check_head(source.head, config, prefix)
    if not source.data.path:
        raise ConfigError(f"the source {source.name} has no data; set {prefix}data.path")
    if source.batch_size < 1:
        raise ConfigError(f"{prefix}batch_size is not set; set it to the number of images of this source in each step")
    for key in _RUN_WIDE:
        value, of_run = getattr(source.data, key), getattr(config.data, key)
        if value != of_run:
            raise ConfigError(
                f"{prefix}data.{key} is {value}, but data.{key} is {of_run}; all sources share it: set data.{key}"
            )
    _check_sampler(source.sampler, source.batch_size, prefix)
    if source.unlabeled and source.sampler.kind == "pk":
        raise ConfigError(f"{prefix}sampler.kind=pk chooses by label, but {prefix}unlabeled=true; set kind to random")
