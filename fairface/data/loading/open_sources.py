"""From a run's configuration to the sources of its batches."""

from __future__ import annotations

from fairface.config.schema import ONLY_SOURCE, SourceConfig, TrainConfig
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.cached import decode_all
from fairface.data.loading.samplers import build_sampler
from fairface.data.loading.source import Source
from fairface.data.selection import labeled_only, open_selected
from fairface.data.types import Dataset
from fairface.data.unlabeled import without_labels
from fairface.errors import ConfigError

_LEAST_CLASSES = 2


def open_sources(config: TrainConfig) -> list[Source]:
    """The configured sources in the order of a batch's rows; source i's sampler and transform draw from stream i.

    Raises:
        ConfigError: a source without data, or with fewer than two identities.
        DataError: data that are not there or damaged, or no labels where labels are needed.
    """
    return [open_source(source, config.seed, stream) for stream, source in enumerate(config.all_sources())]


def open_source(config: SourceConfig, seed: int, stream: int = 0) -> Source:
    """One source; unless it is ``unlabeled``, its records without a label are left out.

    Raises:
        ConfigError, DataError: as :func:`open_sources`.
    """
    dataset = _open(config)
    sampler = build_sampler(config.sampler, dataset.labels, config.batch_size, seed, stream)
    return Source(
        dataset,
        config.batch_size,
        sampler,
        Augmenter(config.augment),
        config.name,
        config.data.resize,
        config.data.on_bad_record,
    )


def _open(config: SourceConfig) -> Dataset:
    data = config.data
    if not data.path:
        key = "data.path" if config.name == ONLY_SOURCE else f"sources.{config.name}.data.path"
        raise ConfigError(f"{key} is not set; name a folder of identities, a folder with train.rec, or a list file")
    dataset = open_selected(data)
    if config.unlabeled:
        dataset = without_labels(dataset)
    else:
        dataset = labeled_only(dataset)
        if dataset.num_classes < _LEAST_CLASSES:
            raise ConfigError(f"{data.path}: {dataset.num_classes} identity; training needs at least two")
    if not data.in_memory:
        return dataset
    return decode_all(dataset, data.image_size, data.resize, data.threads, skip_bad=data.on_bad_record == "skip")
