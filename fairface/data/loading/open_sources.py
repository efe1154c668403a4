"""From a run's configuration to the sources of its batches."""

from __future__ import annotations

import numpy as np

from fairface.config.schema import ONLY_SOURCE, DataConfig, SourceConfig, TrainConfig
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.cached import decode_all
from fairface.data.loading.centre_jitter import CentreJitter, centre_crop_of
from fairface.data.loading.samplers import build_sampler
from fairface.data.loading.source import Source
from fairface.data.loading.transform import BatchTransform, chain
from fairface.data.selection import labeled_only, open_selected
from fairface.data.types import UNLABELED, Dataset
from fairface.data.unlabeled import without_labels
from fairface.errors import ConfigError, DataError
from fairface.quantity import quantity

_LEAST_CLASSES = 2


def open_sources(config: TrainConfig, mixed: bool = False) -> list[Source]:
    """The configured sources in the order of a batch's rows; source i's sampler and transform draw from stream i.

    ``mixed``: a labeled source keeps its records without a label, for methods that learn from them too.

    Raises:
        ConfigError: a source without data, or with fewer than two identities.
        DataError: data that are not there or damaged, or no labels where labels are needed.
    """
    return [open_source(source, config.seed, stream, mixed) for stream, source in enumerate(config.all_sources())]


def open_source(config: SourceConfig, seed: int, stream: int = 0, mixed: bool = False) -> Source:
    """One source; unless it is ``unlabeled`` or ``mixed``, its records without a label are left out.

    Raises:
        ConfigError, DataError: as :func:`open_sources`.
    """
    dataset = _open(config, mixed)
    try:
        sampler = build_sampler(config.sampler, dataset.labels, config.batch_size, seed, stream)
    except DataError as error:
        raise DataError(f"{config.data.path}: {error}") from error
    return Source(
        dataset,
        config.batch_size,
        sampler,
        _transform(config),
        config.name,
        config.data.resize,
        config.data.on_bad_record,
        centre_crop_of(config.augment, training=True),
    )


def _transform(config: SourceConfig) -> BatchTransform:
    augmenter = Augmenter(config.augment)
    if not config.augment.centre_crop:
        return augmenter
    return chain([CentreJitter(config.augment.centre_jitter), augmenter])


def _open(config: SourceConfig, mixed: bool) -> Dataset:
    data = config.data
    if not data.path:
        key = _key(config, "data.path")
        raise ConfigError(f"{key} is not set; name a folder of identities, a folder with train.rec, or a list file")
    dataset = open_selected(data)
    if config.unlabeled:
        dataset = without_labels(dataset)
    else:
        dataset = dataset if mixed else labeled_only(dataset)
        _check_identities(dataset, data, _key(config, "data.identities"))
        if dataset.num_classes < _LEAST_CLASSES:
            raise ConfigError(f"{data.path}: {dataset.num_classes} identity; training needs at least two")
    if not data.in_memory:
        return dataset
    return decode_all(dataset, data.image_size, data.resize, data.threads, skip_bad=data.on_bad_record == "skip")


def _key(config: SourceConfig, key: str) -> str:
    return key if config.name == ONLY_SOURCE else f"sources.{config.name}.{key}"


def _check_identities(dataset: Dataset, data: DataConfig, key: str) -> None:
    """Meet data of another number of identities than they are said to have; those left by ``data.only`` count too."""
    seen = len(np.unique(dataset.labels[dataset.labels != UNLABELED]))
    if data.identities not in (0, seen, dataset.num_classes):
        having = "" if seen == dataset.num_classes else f", {seen} of them with images,"
        raise ConfigError(
            f"{data.path}: has {quantity(dataset.num_classes, 'identity')}{having} but {key} is {data.identities}; "
            "correct the number, leave it out, or name the data that it is of"
        )
