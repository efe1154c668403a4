"""Whole numbers that stand beside embeddings, as any program may have stored them: checked, not cast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError

UNKNOWN = -1


def whole_numbers(values: NDArray[Any], kind: type[np.signedinteger[Any]], source: str, what: str) -> NDArray[Any]:
    """``values`` of any shape as ``kind``: -1 and up, as far as ``kind`` goes; NaN becomes -1, which is unknown.

    Args:
        values: integers, truth values, or floats that are whole.
        kind: such as ``np.int32``.
        source: the file.
        what: the array's name in it.

    Raises:
        DataError: another type, or a number that ``kind`` cannot hold unchanged; names the file, the array and the row.
    """
    if values.size and values.dtype.kind not in "fiub":
        raise DataError(f"{source}: {what} are of type {values.dtype}; they must be whole numbers, -1 where unknown")
    known = values.astype(np.float64) if values.dtype.kind == "b" else values
    missing = np.isnan(known) if known.dtype.kind == "f" else np.zeros(known.shape, bool)
    highest = int(np.iinfo(kind).max)
    fits = missing | ((known >= UNKNOWN) & (known <= highest) & (known == np.trunc(known)))
    if not fits.all():
        place = np.argwhere(~fits)[0].tolist()
        raise DataError(
            f"{source}: {what}[{', '.join(map(str, place))}] is {values[tuple(place)]} ({int((~fits).sum())} of "
            f"{fits.size} values are like it); write whole numbers from 0 to {highest}, and -1 where unknown"
        )
    return np.where(missing, UNKNOWN, known).astype(kind)
