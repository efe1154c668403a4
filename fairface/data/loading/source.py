"""One data set's part of every batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fairface.config.limits import check_value, limit_of
from fairface.config.schema import ONLY_SOURCE, DataConfig
from fairface.data.centre_crop import CentreCrop, CroppedDataset
from fairface.data.loading.samplers import Sampler
from fairface.data.loading.transform import BatchTransform
from fairface.data.types import UNLABELED, Dataset
from fairface.errors import ConfigError, DataError
from fairface.quantity import quantity


@dataclass(frozen=True)
class Source:
    """``batch_size`` images of ``dataset`` in every batch, chosen by ``sampler``, changed by ``transform``.

    Attributes:
        dataset: the images.
        batch_size: this source's rows of every batch.
        sampler: which images a step gets; sources of one run have samplers of different ``stream``.
        transform: what is done to the images; ``None`` leaves them as they are.
        name: what the configuration calls it.
        resize: resize images of another size, which are bad records otherwise.
        on_bad_record: ``stop`` raises DataError; ``skip`` takes another record of this source.
        crop: what the transform gets of each image; None = the whole image, which has the batch's size.

    Raises:
        ConfigError: the sampler draws another number of images, an unknown ``on_bad_record``, or the transform writes a
            column in another shape than the data have it.
        DataError: a label outside -1..num_classes-1.
    """

    dataset: Dataset
    batch_size: int
    sampler: Sampler
    transform: BatchTransform | None = None
    name: str = ONLY_SOURCE
    resize: bool = False
    on_bad_record: str = "stop"
    crop: CentreCrop | None = None

    def __post_init__(self) -> None:
        limit = limit_of(DataConfig, "on_bad_record")
        check_value(self.on_bad_record, limit, "data.on_bad_record")
        if self.sampler.batch_size != self.batch_size:
            raise ConfigError(
                f"source {self.name}: the sampler draws {quantity(self.sampler.batch_size, 'image')}, not "
                f"{self.batch_size}"
            )
        labels, classes = self.dataset.labels, self.dataset.num_classes
        wrong = np.flatnonzero((labels < UNLABELED) | (labels >= classes))
        if len(wrong):
            first = int(wrong[0])
            raise DataError(
                f"{self.dataset.name(first)}: label {labels[first]} is outside 0..{classes - 1} "
                f"({quantity(len(wrong), 'such record')}); fix the labels or the number of classes beside the data"
            )
        for name, shape in self.writes.items():
            known = self.columns[name]
            if known != shape:
                raise ConfigError(
                    f"source {self.name}: the transform writes the column {name} as {shape}, the data have {known}"
                )

    @property
    def is_labeled(self) -> bool:
        """Whether any record has a label."""
        return bool((self.dataset.labels > UNLABELED).any())

    def unaugmented(self, size: int) -> Dataset:
        """The data set as a net of this size sees it when nothing is changed at random."""
        if self.crop is None:
            return self.dataset
        return CroppedDataset(self.dataset, CentreCrop(self.crop.side, self.crop.offset), size)

    @property
    def writes(self) -> Mapping[str, tuple[int, ...]]:
        """The columns that the transform writes: name to the shape of one row's value."""
        return {} if self.transform is None else self.transform.writes

    @property
    def columns(self) -> Mapping[str, tuple[int, ...]]:
        """The extra columns of this source's rows, those of the data first: name to the shape of one row's value."""
        return {**self.writes, **{name: values.shape[1:] for name, values in self.dataset.extra.items()}}
