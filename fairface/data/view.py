"""What all data sets share, and a view of some records of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.data.images import decode
from fairface.data.types import Sample
from fairface.errors import DataError


class IndexedDataset(ABC):
    """Base of the data sets: labels and attributes are arrays in memory, images are decoded when asked for.

    A subclass gives ``name`` and ``encoded``.

    Attributes:
        title: names the whole in errors.
        class_names: what the classes are called where the data come from; empty: class i is label i there.
        notes: what a user should be told about the data before they are used, a sentence each.
        attribute_values: for an attribute, what its codes 0, 1, … stand for, where the data say it.
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
                f"{title}: attributes of shape {self._attributes.shape} do not fit {len(labels)} records "
                f"and {len(self._attribute_names)} attribute names"
            )

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
        image = decode(self.encoded(index), self.name(index))
        return Sample(image, int(self._labels[index]), self._attributes[index], self.name(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    @abstractmethod
    def name(self, index: int) -> str:
        """How to name this record to a person: file and key, or a path."""

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The record's image as it lies on disk (JPEG, PNG, …)."""

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


class Subset(IndexedDataset):
    """Some records of a data set, in any order and as often as wanted; nothing is copied but labels and attributes."""

    def __init__(self, base: IndexedDataset, indices: Sequence[int] | NDArray[np.integer]) -> None:
        chosen = _positions(base, indices)
        super().__init__(
            base.title,
            base.labels[chosen],
            base.num_classes,
            base.attributes[chosen],
            base.attribute_names,
            base.class_names,
            base.notes,
            base.attribute_values,
        )
        self.base = base
        self.indices = chosen

    def __getitem__(self, index: int) -> Sample:
        return self.base[int(self.indices[self._check(index)])]

    def name(self, index: int) -> str:
        return self.base.name(int(self.indices[self._check(index)]))

    def encoded(self, index: int) -> bytes:
        return self.base.encoded(int(self.indices[self._check(index)]))

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> Subset:
        return self.base.subset(self.indices[_positions(self, indices)])


def _positions(base: IndexedDataset, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
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
