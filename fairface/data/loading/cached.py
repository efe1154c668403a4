"""A data set decoded once and kept in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.image_reader import ImageReader
from fairface.data.types import Dataset, Sample
from fairface.data.view import DatasetView
from fairface.errors import DataError
from fairface.hardware import usable_cores
from fairface.threads import work_ahead

Image = NDArray[np.uint8]
_CHUNK = 256  # images that a thread decodes before it takes the next


class CachedDataset(DatasetView):
    """``base`` with its pixels beside it, which the loader takes as they are; made by :func:`decode_all`.

    Record i's pixels are ``images[rows[i]]``; ``bad`` tells what is wrong with a row that could not be decoded.
    ``encoded`` reads the image as it lies on disk again.
    """

    def __init__(
        self, base: Dataset, images: NDArray[np.uint8], rows: NDArray[np.int64], bad: Mapping[int, str]
    ) -> None:
        super().__init__(base)
        self._images = images
        self._rows = rows
        self._bad = bad

    @property
    def holds_pixels(self) -> bool:
        """True."""
        return True

    def __getitem__(self, index: int) -> Sample:
        return Sample(self.decoded(index), int(self.labels[index]), self.attributes[index], self.name(index))

    def decoded(self, index: int) -> Image:
        """(size, size, 3) uint8 RGB, read-only.

        Raises:
            DataError: the record was found bad when the data set was decoded.
        """
        row = int(self._rows[self._check(index)])
        if row in self._bad:
            raise DataError(self._bad[row])
        image: Image = self._images[row]
        return image

    def subset(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> CachedDataset:  # type: ignore[override]
        """The records at ``indices``, in that order, sharing the pixels."""
        chosen = self.base.subset(indices)
        return CachedDataset(chosen, self._images, self._rows[np.asarray(indices, np.int64)], self._bad)


def decode_all(
    dataset: Dataset, size: int, may_resize: bool = False, threads: int = 0, skip_bad: bool = False
) -> CachedDataset:
    """Decode every image of ``dataset`` to ``size x size`` in ``threads`` threads (0 = one for each usable core).

    With ``skip_bad`` a record that cannot be used raises its DataError when it is asked for, which a loader with
    ``on_bad_record=skip`` notes; without, the first such record stops the decoding.

    Raises:
        DataError: a bad record, or more images than memory holds.
    """
    reader = ImageReader(dataset, size, may_resize)
    bad: dict[int, str] = {}
    try:
        images = np.empty((len(dataset), size, size, 3), np.uint8)
    except MemoryError as error:
        raise DataError(
            f"{len(dataset)} images of {size}x{size} pixels do not fit into memory; set data.in_memory=false"
        ) from error

    def fill(first: int) -> None:
        for row in range(first, min(first + _CHUNK, len(dataset))):
            try:
                images[row] = reader.read(row)
            except DataError as error:
                if not skip_bad:
                    raise
                images[row] = 0
                bad[row] = str(error)

    threads = threads or usable_cores()
    plans = ((None, [partial(fill, first)]) for first in range(0, len(dataset), _CHUNK))
    for _ in work_ahead(plans, threads, 4 * threads):
        pass
    images.flags.writeable = False
    return CachedDataset(dataset, images, np.arange(len(dataset)), bad)
