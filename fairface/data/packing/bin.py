"""Making a ``.bin`` verification set from photographs and a list of pairs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from fairface.data.images import read_bytes, to_stored_jpeg
from fairface.data.packing.recordio import PackOptions
from fairface.data.pairsets.bin_set import write_bin
from fairface.files import inside
from fairface.threads import map_in_threads

Watch = Callable[[Iterable[bytes]], Iterable[bytes]]


def pack_bin(
    output: str | os.PathLike[str],
    root: str | os.PathLike[str],
    names: Sequence[str],
    same: ArrayLike,
    options: PackOptions,
    watch: Watch = iter,
) -> None:
    """Write a ``.bin`` from photographs below ``root``.

    Args:
        output: the file to write.
        root: the folder of the photographs.
        names: 2M photographs, pair i being names 2i and 2i+1; one may be named often.
        same: (M,) whether a pair shows the same identity.
        options: size, quality and whether photographs of another size are resized.
        watch: wraps the iteration over encoded photographs, to show progress.

    Raises:
        DataError: a photograph is missing, no image or of another size, or the file cannot be written.
    """
    distinct = list(dict.fromkeys(names))

    def encoded(name: str) -> bytes:
        path: Path = inside(root, name)
        return to_stored_jpeg(read_bytes(path), str(path), options.size, options.quality, options.resize)

    images = dict(zip(distinct, watch(map_in_threads(encoded, distinct, options.workers)), strict=True))
    write_bin(output, [images[name] for name in names], same)
