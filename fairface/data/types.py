"""The contracts between data and everything after it: Sample, Dataset, Batch.

Images are uint8 HWC RGB from disk to batch. Labels are int32 ``0..N-1``; ``-1`` is unlabeled. Attributes are int8,
``-1`` is unknown, and their names stand beside the data.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """Images with labels and attributes, all of which are known without decoding an image.

    ``encoded`` returns the image file's bytes and may be called from several threads and after a fork.
    """

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) int32, ``-1`` where unlabeled."""

    @property
    def attributes(self) -> NDArray[np.int8]:
        """(N, K) int8, ``-1`` where unknown; K may be 0."""

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """K names."""

    @property
    def num_classes(self) -> int:
        """Number of identities; labels are below it."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def name(self, index: int) -> str:
        """How to name this record to a person: file and key, or a path."""

    def encoded(self, index: int) -> bytes:
        """The record's image as it lies on disk (JPEG, PNG, …)."""

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> Dataset:
        """The records at ``indices``, in that order, without copying an image. Labels are kept as they are."""


@runtime_checkable
class Described(Protocol):
    """A data set that can tell more than :class:`Dataset` asks for."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called where the data come from; empty: class i is label i there."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should be told about the data before they are used, a sentence each."""


@dataclass
class Batch:
    """What one training step gets, before it is split over devices.

    ``images (B, H, W, 3)`` uint8 RGB; ``labels (B,)`` int32; ``source (B,)`` int16 tells data sets apart;
    ``attributes (B, K)`` int8; ``extra`` carries what a method needs, each ``(B, …)`` float32;
    ``indices (B,)`` int64 are positions in the source's data set.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    source: NDArray[np.int16]
    attributes: NDArray[np.int8]
    indices: NDArray[np.int64]
    extra: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)
