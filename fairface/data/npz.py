"""Named arrays in one file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from fairface.files import atomic_write


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
