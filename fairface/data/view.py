"""What all data sets share, and views of one: some of its records, or some of what is known of them told otherwise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.data.columns import float_columns
from fairface.data.images import decode, try_decode
from fairface.data.types import Dataset, Sample
from fairface.errors import DataError
from fairface.quantity import quantity


class IndexedDataset(ABC):
    """Base of the data sets: labels, attributes and extra columns are in memory, images are decoded when asked for.

    A subclass gives ``name`` and ``encoded``; arguments are those of :class:`fairface.data.types.Dataset`.

    Raises:
        DataError: attributes or extra columns do not fit the labels.
    """

    def __init__(
        self,
        title: str,
        labels: NDArray[np.int32],
        num_classes: int,
        attributes: NDArray[np.int8] | None = None,
        attribute_names: Sequence[str] = (),
        class_names: Sequence[str] = (),
        notes: Sequence[str] = (),
        attribute_values: Mapping[str, tuple[str, ...]] | None = None,
        extra: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        self.title = title
        self.attribute_values: Mapping[str, tuple[str, ...]] = attribute_values or {}
        self.class_names = tuple(class_names)
        self.notes = tuple(notes)
        self._labels = labels.astype(np.int32, copy=False)
        self._num_classes = num_classes
        self._attributes = np.zeros((len(labels), 0), np.int8) if attributes is None else attributes
        self._attribute_names = tuple(attribute_names)
        if self._attributes.shape != (len(labels), len(self._attribute_names)):
            raise DataError(
                f"{title}: attributes of shape {self._attributes.shape} do not fit {quantity(len(labels), 'record')} "
                f"and {quantity(len(self._attribute_names), 'attribute name')}"
            )
        self.extra: Mapping[str, NDArray[np.float32]] = float_columns(title, len(labels), extra or {})

    missing: tuple[str, ...] = ()  # set by formats that leave out files that are not there
    problems: tuple[str, ...] = ()  # set by formats that pass over what training refuses or nobody would miss

    @property
    def holds_pixels(self) -> bool:
        """Whether pixels lie in memory, so that ``decoded`` costs nothing."""
        return False

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) int32, ``-1`` where unlabeled."""
        return self._labels

    @property
    def attributes(self) -> NDArray[np.int8]:
        """(N, K) int8, ``-1`` where unknown."""
        return self._attributes

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """K names."""
        return self._attribute_names

    @property
    def num_classes(self) -> int:
        """Number of identities; labels are below it."""
        return self._num_classes

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> Sample:
        image = self.decoded(index)
        return Sample(image, int(self._labels[index]), self._attributes[index], self.name(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    @abstractmethod
    def name(self, index: int) -> str:
        """How to name this record to a person: file and key, or a path."""

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The record's image as it lies on disk (JPEG, PNG, …)."""

    def record_name(self, index: int) -> str:
        """What lists and stored embeddings call this record; here what ``name`` says."""
        return self.name(index)

    def decoded(self, index: int) -> NDArray[np.uint8]:
        """The record's image as (H, W, 3) uint8 RGB.

        Raises:
            DataError: the record cannot be read or decoded.
        """
        data = self.encoded(index)
        image = try_decode(data, lambda: self.name(index))
        # The record's name is made only for an error: it takes longer than everything else but decoding.
        return decode(data, self.name(index)) if image is None else image

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> Subset:
        """The records at ``indices``, in that order; labels are kept as they are.

        Raises:
            DataError: an index is not below the number of records.
        """
        return Subset(self, indices)

    def _check(self, index: int) -> int:
        if not 0 <= index < len(self._labels):
            raise DataError(
                f"{self.title}: record {index} was asked for, but there are {len(self)} (0 to {len(self) - 1}); "
                f"correct the index or the list it comes from"
            )
        return index


class DatasetView(IndexedDataset):
    """Records of ``base``, whose images it gives; arguments left at ``None`` are what the base says.

    Args:
        base: any data set.
        indices: positions in ``base``, in any order and as often as wanted; ``None`` = all.
        labels, num_classes, class_names, notes, extra: told instead of what ``base`` says, for the records of the view.
    """

    def __init__(
        self,
        base: Dataset,
        indices: NDArray[np.int64] | None = None,
        *,
        labels: NDArray[np.int32] | None = None,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        notes: Sequence[str] | None = None,
        extra: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        rows = slice(None) if indices is None else indices
        super().__init__(
            base.title,
            base.labels[rows] if labels is None else labels,
            base.num_classes if num_classes is None else num_classes,
            base.attributes[rows],
            base.attribute_names,
            base.class_names if class_names is None else class_names,
            base.notes if notes is None else notes,
            base.attribute_values,
            {name: values[rows] for name, values in base.extra.items()} if extra is None else extra,
        )
        self.missing, self.problems = tuple(base.missing), tuple(base.problems)
        self.base = base
        self.indices = np.arange(len(base)) if indices is None else indices

    @property
    def holds_pixels(self) -> bool:
        """Whether the base's pixels lie in memory."""
        return self.base.holds_pixels

    def __getitem__(self, index: int) -> Sample:
        sample = self.base[self._position(index)]
        return Sample(sample.image, int(self._labels[index]), sample.attributes, sample.name)

    def name(self, index: int) -> str:
        return self.base.name(self._position(index))

    def record_name(self, index: int) -> str:
        return self.base.record_name(self._position(index))

    def encoded(self, index: int) -> bytes:
        return self.base.encoded(self._position(index))

    def decoded(self, index: int) -> NDArray[np.uint8]:
        return self.base.decoded(self._position(index))

    def _position(self, index: int) -> int:
        return int(self.indices[self._check(index)])


class Subset(DatasetView):
    """Some records of a data set, in any order and as often as wanted; nothing is copied but labels, attributes and
    extra columns."""

    def __init__(self, base: Dataset, indices: Sequence[int] | NDArray[np.integer]) -> None:
        super().__init__(base, _positions(base, indices))

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> Subset:
        return Subset(self.base, self.indices[_positions(self, indices)])


def _positions(base: Dataset, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    chosen = np.asarray(indices)
    if chosen.size == 0:
        chosen = chosen.astype(np.int64)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise DataError(
            f"{base.title}: records are chosen by a list of whole numbers, not {chosen.dtype} of shape {chosen.shape}"
        )
    chosen = chosen.astype(np.int64)
    outside = np.flatnonzero((chosen < 0) | (chosen >= len(base)))
    if len(outside):
        raise DataError(
            f"{base.title}: record {chosen[outside[0]]} was asked for, but there are {len(base)} "
            f"(0 to {len(base) - 1}); correct the index or the list it comes from"
        )
    return chosen
