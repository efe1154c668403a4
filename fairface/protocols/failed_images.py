"""Which images had no face that was found in the normal way: a text file with one name a line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.text_lines import read_lines
from fairface.errors import DataError
from fairface.protocols.names import NameIndex


def read_failed_images(path: str | os.PathLike[str], comparisons: Comparisons) -> tuple[NDArray[np.bool_], list[str]]:
    """(N,) whether detection failed on each image of the comparisons, and the names of the list that are not among
    them.

    Raises:
        DataError: the comparisons do not name their images, or the file is no text.
    """
    if not comparisons.names:
        raise DataError(f"{path}: the comparisons name no images, so failures cannot be assigned to them")
    failed = np.zeros(len(comparisons.names), bool)
    named = read_lines(Path(path), "with the name of an image")[0] if os.path.getsize(path) else []
    index, strangers = NameIndex(comparisons.names), []
    for name in named:
        position = index.find(name)
        if position is None:
            strangers.append(name)
        else:
            failed[position] = True
    return failed, strangers
