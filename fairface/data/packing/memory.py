"""Making memory files out of ``.bin`` verification sets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from fairface.data.images import decode
from fairface.data.pairsets.bin_set import read_bin
from fairface.data.pairsets.memory_set import conf_file, crc_of, data_file, list_file, read_conf, read_memory_set
from fairface.errors import DataError
from fairface.files import atomic_write

Watch = Callable[[Iterable[bytes], int], Iterable[bytes]]


def make_memory_set(
    path: str | os.PathLike[str], swap: bool = False, watch: Watch = lambda images, total: images
) -> bool:
    """Make the memory files of ``name.bin`` in the folder ``name`` beside it, unless they are there already, whole and
    made from this very file.

    Args:
        path: the ``.bin`` file.
        swap: exchange red and blue, for images that were stored the wrong way round.
        watch: wraps the iteration over the images, to show progress.

    Returns:
        whether they had to be made.

    Raises:
        DataError: the set or one of its images is damaged, images differ in size, or a file cannot be written.
    """
    bin_file = Path(path)
    folder = bin_file.with_suffix("")
    source = _source(bin_file)
    if _is_finished(folder, source, swap):
        return False
    content = read_bin(bin_file)
    conf = conf_file(folder)
    conf.unlink(missing_ok=True)  # the old files go one by one: from here on they are not whole
    for leftover in conf.parent.glob(".*.part"):  # of a run that was killed
        leftover.unlink()
    with atomic_write(list_file(folder)) as file:
        np.save(file, content.same)
    shape, crc = _write_pixels(data_file(folder), watch(content.images, len(content.images)), str(bin_file), swap)
    about = {
        "shape": shape, "dtype": "uint8", "layout": "NHWC", "colour": "RGB", "source": source, "swapped": swap,
        "crc32c": crc, "list_crc32c": crc_of(list_file(folder)),
    }  # fmt: skip
    with atomic_write(conf, "w", encoding="utf-8") as file:
        json.dump(about, file, indent=1)
    return True


def _source(path: Path) -> dict[str, Any]:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    return {"name": path.name, "bytes": status.st_size, "crc32c": crc_of(path)}


def _is_finished(folder: Path, source: dict[str, Any], swap: bool) -> bool:
    try:
        conf = read_conf(folder)
        if conf.get("source") != source or conf.get("swapped") is not swap:
            return False
        read_memory_set(folder)
    except DataError:
        return False
    return True


def _write_pixels(path: Path, images: Iterable[bytes], title: str, swap: bool) -> tuple[list[int], int]:
    """Shape of the written array and its checksum."""
    crc, count = 0, 0
    shape: tuple[int, ...] = ()
    with atomic_write(path) as file:
        for count, encoded in enumerate(images, 1):
            name = f"{title}, image {count - 1}"
            image = decode(encoded, name)
            if shape not in ((), image.shape):
                raise DataError(
                    f"{name}: is {image.shape[1]}x{image.shape[0]} pixels, but the first image is "
                    f"{shape[1]}x{shape[0]}; make the set again with data_process/make_bin.py"
                )
            shape = image.shape
            pixels = np.ascontiguousarray(image[..., ::-1] if swap else image).tobytes()
            crc = google_crc32c.extend(crc, pixels)
            file.write(pixels)
    return [count, *shape], crc
