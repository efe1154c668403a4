"""Packing photographs into ``train.rec``, ``train.idx`` and ``property`` in insightface's layout."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.images import decode, encode_jpeg, read_bytes, to_stored_jpeg
from fairface.data.packing.plan import Photo, Plan
from fairface.data.recordio.files import RecordStream
from fairface.data.recordio.notes import ATTRIBUTES, IDENTITIES, PROPERTY
from fairface.data.whole_files import whole_files
from fairface.errors import ConfigError, DataError
from fairface.threads import map_in_threads

ALIGNED = 1
Image = NDArray[np.uint8]
Align = Callable[[Image, NDArray[np.float32], int], Image]
Watch = Callable[[Iterable[bytes]], Iterable[bytes]]


@dataclass(frozen=True)
class PackOptions:
    """``size``: side in pixels; ``quality``: of images that are re-encoded; ``resize``: allow another size to be
    resized; ``workers``: threads; ``align``: cuts the face out of a photograph that is not aligned."""

    size: int = 112
    quality: int = 95
    resize: bool = False
    workers: int = 1
    align: Align | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or not 1 <= self.quality <= 100 or self.workers < 1:
            raise ConfigError(
                f"size {self.size}, quality {self.quality}, workers {self.workers}: "
                f"size and workers must be at least 1, quality 1 to 100"
            )


def pack_plan(plan: Plan, output: str | os.PathLike[str], options: PackOptions, watch: Watch = iter) -> None:
    """Write the plan's photographs to the folder ``output``.

    Files: ``train.rec``, ``train.idx``, ``property``, ``id_to_path.txt`` (record, photograph), ``identities.txt``
    (line = label, from 0) and, where there are attributes, ``attributes.json``. They appear together when all is done.
    Photographs that are JPEG files of the right size are stored byte for byte.

    Args:
        plan: what to pack.
        output: the folder; it is made where missing.
        options: how to pack.
        watch: wraps the iteration over encoded photographs, to show progress.

    Raises:
        DataError: a photograph cannot be used (it is named), or a file cannot be written.
    """
    pack_encoded(plan, encoded_photos(plan.photos, options), output, options.size, watch)


def pack_encoded(
    plan: Plan, encoded: Iterable[bytes], output: str | os.PathLike[str], size: int, watch: Watch = iter
) -> None:
    """As :func:`pack_plan`, of images ``size`` pixels wide that are ``encoded`` already, in the plan's order.

    Raises:
        DataError: what ``encoded`` raises, or a file cannot be written.
    """
    folder = Path(output)
    names = ["train.rec", "train.idx", PROPERTY, "id_to_path.txt", IDENTITIES]
    if plan.attributes.names:
        names.append(ATTRIBUTES)
    else:
        _refuse_stale(folder / ATTRIBUTES)
    with whole_files({folder / name: "wb" if name == "train.rec" else "w" for name in names}) as files:
        rec, idx, prop, paths, identities = files[:5]
        _write_records(plan, watch(encoded), RecordStream(rec, idx, str(folder / "train.rec")))
        prop.write(f"{len(plan.identities)},{size},{size}\n")
        paths.writelines(f"{key}, {photo.path}\n" for key, photo in enumerate(plan.photos, 1))
        identities.writelines(f"{name}\n" for name in plan.identities)
        if plan.attributes.names:
            files[5].write(plan.attributes.to_json())


def _refuse_stale(path: Path) -> None:
    if path.exists():
        raise DataError(
            f"{path}: is there from other data, and these have no attributes; remove it or choose another folder"
        )


def _write_records(plan: Plan, encoded: Iterable[bytes], stream: RecordStream) -> None:
    """Images 1..n, then record 0, then the identities: the order in which insightface's packer writes them."""
    for key, (photo, data) in enumerate(zip(plan.photos, encoded, strict=True), 1):
        stream.write(key, [photo.label, ALIGNED, *photo.attributes], data)
    counts = np.bincount([photo.label for photo in plan.photos], minlength=len(plan.identities))
    ends = np.cumsum(counts) + 1
    first_identity = len(plan.photos) + 1
    stream.write(0, [first_identity, first_identity + len(counts)], b"")
    for label, (count, end) in enumerate(zip(counts.tolist(), ends.tolist(), strict=True)):
        stream.write(first_identity + label, [end - count, end], b"")


def encoded_photos(photos: Sequence[Photo], options: PackOptions) -> Iterator[bytes]:
    """The photographs as they are stored, in order, made in ``options.workers`` threads.

    Raises:
        DataError: a photograph cannot be used (it is named).
    """
    return map_in_threads(lambda photo: _encoded(photo, options), photos, options.workers)


def _encoded(photo: Photo, options: PackOptions) -> bytes:
    data = read_bytes(photo.path, photo.name)
    if photo.landmarks is None:
        return to_stored_jpeg(data, photo.name, options.size, options.quality, options.resize)
    if options.align is None:
        raise DataError(f"{photo.name}: is not aligned; align the photographs first (data_process/align.py)")
    image = decode(data, photo.name)
    try:
        crop = options.align(image, photo.landmarks, options.size)
    except DataError as error:
        raise DataError(f"{photo.name}: {error}") from error
    return encode_jpeg(crop, options.quality)
