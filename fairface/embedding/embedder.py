"""Photographs -> embeddings, whatever runs the net: images read in threads, batches, views joined."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fairface.cli import progress
from fairface.data.image_reader import ImageReader
from fairface.data.images import check_size, decode
from fairface.data.types import Dataset
from fairface.embedding.fusion import Fusion, flip_sum
from fairface.errors import DataError
from fairface.faces.align import adapted
from fairface.faces.layouts import ARCFACE
from fairface.hardware import usable_cores
from fairface.threads import work_ahead

Images = Dataset | Sequence[bytes] | NDArray[np.uint8]
Pixels = NDArray[np.uint8]
Rows = NDArray[np.float32]
NOTHING = "there are no images to embed; check the data set's path and filters"
AHEAD = 3  # batches that are decoded before the net asks for them


class Embedder(ABC):
    """Embeds images with a net; a subclass says how the net runs.

    Args:
        batch_size: images in a step. The last batch is padded where :attr:`fixed_shape` says so.
        flip: add the embedding of the mirrored image.
        image_size: side in pixels that every image must have; ``None``: that of the first image.
        threads: decoding threads; 0 = the cores that this process may use.
        show_progress: show a progress bar on standard error.
        resize: bring images of a data set to that size instead of refusing those of another.
        fuse: how the two views' embeddings are joined (:data:`fairface.embedding.fusion.FUSIONS`).
        layout: of the faces that the net takes; crops of ArcFace's layout are adapted to dlib's
            (:func:`fairface.faces.align.adapted`).

    Attributes:
        fixed_shape: every batch has the same shape, for a net that prepares itself anew for another one.
    """

    fixed_shape = True

    def __init__(
        self, batch_size: int, flip: bool = True, image_size: int | None = None, threads: int = 0,
        show_progress: bool = True, resize: bool = False, fuse: Fusion = flip_sum, layout: str = ARCFACE,
    ) -> None:  # fmt: skip
        self.batch_size = batch_size
        self.flip = flip
        self.image_size = image_size
        self.threads = threads or usable_cores()
        self.show_progress = show_progress
        self.resize = resize
        self.fuse = fuse
        self.layout = layout

    @abstractmethod
    def run(self, batches: Iterable[Pixels]) -> Iterator[Rows]:
        """Embeddings ``(B, D)`` of each of ``batches``, ``(B, H, W, 3)`` RGB, in their order and with both views
        joined. A batch may be taken before the one ahead of it is done."""

    def embed(self, images: Images) -> NDArray[np.float32]:
        """Embeddings (N, D) float32, not normalised, of a data set, of N encoded images, or of uint8 (N, H, W, 3) RGB.

        Images are decoded in threads while the net works.

        Raises:
            DataError: no image, one that cannot be decoded or has another size (the message names it).
        """
        if len(images) == 0:
            raise DataError(NOTHING)
        return self._embed(*_reader(images, self.image_size, self.resize, self.layout), len(images))

    def embed_readable(self, images: Dataset) -> tuple[NDArray[np.float32], NDArray[np.int64], dict[str, str]]:
        """As :meth:`embed` for a data set of which some records may be bad; needs :attr:`image_size`.

        Returns:
            The embeddings (M, D), the positions (M,) of their records, and the bad ones: name to what is wrong with it.

        Raises:
            DataError: no image, or none that can be read.
        """
        if len(images) == 0:
            raise DataError(NOTHING)
        read, size = _reader(images, self.image_size, self.resize, self.layout)
        bad: dict[int, DataError] = {}

        def tolerant(index: int) -> Pixels:
            try:
                return read(index)
            except DataError as error:
                bad[index] = error
                return np.zeros((*size, 3), np.uint8)

        rows = self._embed(tolerant, size, len(images))
        kept = np.setdiff1d(np.arange(len(images)), list(bad))
        if not len(kept):
            raise DataError(f"{images.title}: none of its images can be read; one of them: {bad[0]}")
        return rows[kept], kept, {images.name(index): str(bad[index]) for index in sorted(bad)}

    def _embed(self, read: Callable[[int], Pixels], size: tuple[int, int], count: int) -> NDArray[np.float32]:
        rows = self.run(self._batches(read, count, size))
        if self.show_progress:
            rows = iter(progress(rows, total=-(-count // self.batch_size), label="embed", unit="batch"))
        return np.concatenate(list(rows))[:count].astype(np.float32, copy=False)

    def _batches(self, read: Callable[[int], Pixels], count: int, size: tuple[int, int]) -> Iterator[Pixels]:
        """Batches of decoded images in order, the last filled up with its last image where shapes are fixed."""

        def plan(first: int) -> tuple[Pixels, list[Callable[[], None]]]:
            length = self.batch_size if self.fixed_shape else min(self.batch_size, count - first)
            batch = np.empty((length, *size, 3), np.uint8)
            positions = np.minimum(np.arange(first, first + length), count - 1)
            parts = np.array_split(np.arange(length), self.threads)
            return batch, [partial(_fill, batch, part, positions, read) for part in parts]

        return work_ahead(map(plan, range(0, count, self.batch_size)), self.threads, AHEAD)


def _fill(batch: Pixels, rows: NDArray[np.intp], positions: NDArray[np.intp], read: Callable[[int], Pixels]) -> None:
    for row in rows:
        batch[row] = read(int(positions[row]))


def _reader(
    images: Images, image_size: int | None, resize: bool, layout: str
) -> tuple[Callable[[int], Pixels], tuple[int, int]]:
    """How to get the pixels of image i, and their height and width."""
    if isinstance(images, np.ndarray):
        return _array_reader(images, image_size, layout)
    if isinstance(images, Dataset):
        size = image_size or _square(images[0].image, images.name(0))
        return ImageReader(images, size, resize, adapt=lambda image: adapted(image, size, layout)).read, (size, size)
    encoded = images
    size = image_size or _square(decode(encoded[0], "image 0"), "image 0")

    def read(index: int) -> Pixels:
        image = adapted(decode(encoded[index], f"image {index}"), size, layout)
        check_size(image, f"image {index}", size)
        return image

    return read, (size, size)


def _array_reader(
    images: Pixels, image_size: int | None, layout: str
) -> tuple[Callable[[int], Pixels], tuple[int, int]]:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise DataError(f"images are {images.dtype} {images.shape}; they must be uint8 (N, H, W, 3) RGB")
    size = image_size or images.shape[1]
    height, width = adapted(images[0], size, layout).shape[:2]
    if image_size is not None and (height, width) != (image_size, image_size):
        raise DataError(f"images are {width}x{height} pixels, but the net takes {image_size}x{image_size}")
    return (lambda index: adapted(images[index], size, layout)), (height, width)


def _square(image: Pixels, name: str) -> int:
    height, width = image.shape[:2]
    if height != width:
        raise DataError(f"{name}: is {width}x{height} pixels, not square; align it first (data_process/align.py)")
    return height
