"""Named arrays in one file."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from fairface.errors import DataError
from fairface.files import atomic_write

# What numpy.load raises of a file that is damaged, or claims an array that no memory holds.
UNREADABLE = (ValueError, EOFError, zipfile.BadZipFile, zlib.error, MemoryError, NotImplementedError)
_UNSUSPICIOUS, _LARGEST_RATIO = 1 << 28, 50  # bytes; unpacked bytes for one packed


def refuse_bomb(entries: Sequence[zipfile.ZipInfo], source: str) -> None:
    """Refuse an archive that is small and would fill the memory; features of faces hardly shrink.

    Raises:
        DataError: it grows to more than 256 MiB and to more than 50 times its size; ``source`` names it.
    """
    size, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if size > max(_UNSUSPICIOUS, _LARGEST_RATIO * packed):
        raise DataError(
            f"{source}: {packed / 1e6:.1f} MB that grow to {size / 1e6:,.0f} MB, which embeddings do not do; write it "
            "again with numpy.savez"
        )


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, ArrayLike], personal: bool = False) -> None:
    """Write ``.npz`` as ``numpy.savez`` does, whole or not at all.

    ``personal`` is that of :func:`fairface.files.atomic_write`. ``numpy.savez`` leaves its archive open after a failed
    write, and Python complains of that on standard error later.

    Raises:
        DataError: the file cannot be written; the message names it.
    """
    with atomic_write(path, personal=personal) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
