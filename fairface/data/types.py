"""The contracts between data and everything after it: Sample, Dataset, Batch.

Images are uint8 HWC RGB from disk to batch. Labels are int32 ``0..N-1``; ``-1`` is unlabeled. Attributes are int8,
``-1`` is unknown, and their names stand beside the data. Extra columns are float32, NaN is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

UNLABELED = -1
UNKNOWN = -1


@dataclass(frozen=True)
class Sample:
    """One image: ``image (H, W, 3)`` uint8 RGB, ``label``, ``attributes (K,)`` int8, ``name`` (where it came from)."""

    image: NDArray[np.uint8]
    label: int
    attributes: NDArray[np.int8]
    name: str


@runtime_checkable
class Dataset(Protocol):
    """Images with labels, attributes and extra columns, all of which are known without decoding an image.

    ``encoded`` and ``decoded`` may be called from several threads and after a fork.
    :class:`fairface.data.view.IndexedDataset` gives all of it to a reader that has ``name`` and ``encoded``.
    """

    @property
    def title(self) -> str:
        """How to name the whole to a person: the file or folder that it lies in."""

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) int32, ``-1`` where unlabeled."""

    @property
    def num_classes(self) -> int:
        """Number of identities; labels are below it."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called where the data come from; empty: class i is label i there."""

    @property
    def attributes(self) -> NDArray[np.int8]:
        """(N, K) int8, ``-1`` where unknown; K may be 0."""

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """K names."""

    @property
    def attribute_values(self) -> Mapping[str, tuple[str, ...]]:
        """For an attribute, what its codes 0, 1, … stand for, where the data say it."""

    @property
    def extra(self) -> Mapping[str, NDArray[np.float32]]:
        """Further columns by name, each (N, …) float32, NaN where unknown: landmarks, a quality …"""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should be told about the data before they are used, a sentence each."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The files that the data name but that are not there and were left out, named as to a person."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What else is wrong with the data as a whole and was passed over, a sentence each; ``notes`` tell it too."""

    @property
    def holds_pixels(self) -> bool:
        """Whether pixels lie in memory, so that ``decoded`` costs nothing."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def name(self, index: int) -> str:
        """How to name this record to a person: file and key, or a path."""

    def record_name(self, index: int) -> str:
        """What lists and stored embeddings call this record: its path below the data's folder, or ``record <key>``."""

    def encoded(self, index: int) -> bytes:
        """The record's image as it lies on disk (JPEG, PNG, …)."""

    def decoded(self, index: int) -> NDArray[np.uint8]:
        """The record's image as (H, W, 3) uint8 RGB, not to be written to; raises DataError for a bad record."""

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> Dataset:
        """The records at ``indices``, in that order, without copying an image. Labels are kept as they are."""


@dataclass
class Batch:
    """What one training step gets, before it is split over devices.

    Rows stand source after source. ``images (B, H, W, 3)`` uint8 RGB; ``labels (B,)`` int32; ``source (B,)`` int16,
    the source's position; ``attributes (B, K)`` int8; ``indices (B,)`` int64, positions in the source's data set;
    ``extra``: every column that the data of any source have or that any transform writes, each ``(B, …)`` float32, NaN
    in the rows of a source that does not have it.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    source: NDArray[np.int16]
    attributes: NDArray[np.int8]
    indices: NDArray[np.int64]
    extra: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)
