"""Numbers beside each record of a data set: landmarks, a quality, whatever a method needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.errors import DataError
from fairface.quantity import quantity


def float_columns(title: str, count: int, columns: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float32]]:
    """The columns as float32 arrays ``(count, …)``; ``title`` names the data set in errors.

    Raises:
        DataError: one is not a number, or an array of numbers, for each record.
    """
    result = {}
    for name, values in columns.items():
        try:
            array = np.asarray(values)
        except ValueError:  # rows of different lengths
            array = np.asarray(values, object)
        if array.ndim < 1 or len(array) != count or array.dtype.kind not in "fiu":
            raise DataError(
                f"{title}: the column {name} must hold a number or an array of numbers for each of "
                f"{quantity(count, 'record')}, not {array.dtype} of shape {array.shape}"
            )
        result[name] = array.astype(np.float32, copy=False)
    return result
