"""Looking at every record of a data set, in several processes: content hashes, sizes, and whether it can be decoded."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.formats import OpenOptions
from fairface.data.image_size import is_jpeg, is_png, jpeg_size
from fairface.data.images import decode_remarked, not_decoded
from fairface.data.opening import open_dataset
from fairface.data.processes import map_processes
from fairface.data.view import IndexedDataset
from fairface.errors import DataError

HASH_BYTES = 16
_TASK = 256
_PNG_SIZE = slice(16, 24)


@dataclass(frozen=True)
class RecordCheck:
    """What is known of N records.

    Attributes:
        hashes: (N, 16) uint8, BLAKE2 of each image file; zeros where it cannot be read.
        sizes: (N, 2) int32, height and width; 0 where not known.
        bytes: (N,) int64, sizes of the image files.
        kinds: N times JPEG, PNG, pixels or other.
        problems: position to what is wrong with the record.
    """

    hashes: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    bytes: NDArray[np.int64]
    kinds: list[str]
    problems: dict[int, str]


@dataclass(frozen=True)
class _Task:
    name: str
    options: OpenOptions
    first: int
    last: int
    decode: bool


def check_records(
    name: str,
    options: OpenOptions,
    count: int,
    decode: bool,
    jobs: int,
    on_done: Callable[[int], object] = lambda count: None,
) -> RecordCheck:
    """Read all ``count`` records of the data set ``name``.

    With ``decode`` every image is decoded, and what the JPEG library remarks on damaged data counts as a problem: it
    gives pixels all the same, so that nothing else would tell. It remarks on about a quarter of single changed bits.

    Args:
        name, options: how to open the data set, which each process does for itself.
        count: number of records.
        decode: decode the images instead of reading their headers.
        jobs: processes.
        on_done: told after every so many records how many were done.

    Raises:
        DataError: the data set cannot be opened, or a process was killed. A damaged record is a problem, not an error.
    """
    result = _empty(count)
    tasks = (_Task(name, options, i, min(i + _TASK, count), decode) for i in range(0, count, _TASK))
    for first, part in _parts(tasks, name, options, decode, jobs):
        rows = slice(first, first + len(part.kinds))
        result.hashes[rows], result.sizes[rows], result.bytes[rows] = part.hashes, part.sizes, part.bytes
        result.kinds[rows] = part.kinds
        result.problems.update(part.problems)
        on_done(len(part.kinds))
    return result


def _parts(
    tasks: Iterator[_Task], name: str, options: OpenOptions, decode: bool, jobs: int
) -> Iterator[tuple[int, RecordCheck]]:
    """What the tasks give, with their first records, as they come in."""
    if decode or jobs > 1:
        yield from map_processes(_check, tasks, jobs, name, _start)
        return
    dataset = open_dataset(name, options=options)
    yield from ((task.first, _look_at(dataset, task)) for task in tasks)


def _empty(count: int) -> RecordCheck:
    return RecordCheck(
        np.zeros((count, HASH_BYTES), np.uint8),
        np.zeros((count, 2), np.int32),
        np.zeros(count, np.int64),
        ["unreadable"] * count,
        {},
    )


def _start() -> None:
    """Set up a worker process: one thread."""
    cv2.setNumThreads(1)


@functools.lru_cache(maxsize=1)
def _opened(name: str, options: OpenOptions) -> IndexedDataset:
    return open_dataset(name, options=options)


def _check(task: _Task) -> tuple[int, RecordCheck]:
    return task.first, _look_at(_opened(task.name, task.options), task)


def _look_at(dataset: IndexedDataset, task: _Task) -> RecordCheck:
    result = _empty(task.last - task.first)
    for row, index in enumerate(range(task.first, task.last)):
        try:
            data, size, kind, remark = _look(dataset, index, task.decode)
        except (DataError, OSError, cv2.error) as error:
            result.problems[index] = " ".join(str(error).split())
            continue
        result.hashes[row] = np.frombuffer(hashlib.blake2b(data, digest_size=HASH_BYTES).digest(), np.uint8)
        result.sizes[row], result.bytes[row], result.kinds[row] = size, len(data), kind
        if remark:
            result.problems[index] = f"{dataset.name(index)}: the image is damaged ({remark}); restore or remove it"
    return result


def _look(dataset: IndexedDataset, index: int, whole: bool) -> tuple[bytes, tuple[int, int], str, str]:
    """The image file (or pixels), height and width, the kind of file, and what the decoder remarks on it."""
    if dataset.holds_pixels:
        pixels = dataset.decoded(index)
        return pixels.tobytes(), (pixels.shape[0], pixels.shape[1]), "pixels", ""
    data = dataset.encoded(index)
    kind = "JPEG" if is_jpeg(data) else "PNG" if is_png(data) else "other"
    size = jpeg_size(data)
    if kind == "PNG":
        size = (int.from_bytes(data[_PNG_SIZE][4:], "big"), int.from_bytes(data[_PNG_SIZE][:4], "big"))
    remark = ""
    if whole or size is None:
        image, remark = decode_remarked(data)
        if image is None:
            raise not_decoded(data, dataset.name(index))
        size = (image.shape[0], image.shape[1])
    return data, size, kind, remark
