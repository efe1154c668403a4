"""Numbers of other types as float32 values that add up exactly with zeros from everybody else.

Workers bring arrays together by adding up blocks that do not overlap; a sum with zeros keeps a float32's value, and one
with -0.0 its bits. Two bytes of anything are an integer below 65536, which float32 holds exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray as Array

_ROUNDED_BITS = 3  # leading bits of a length that are kept: an eighth is the most that is added


def as_words(values: Array[Any]) -> Array[np.float32]:
    """The bytes of ``values`` (items of 2, 4 or 8 bytes) as words, (2n or more,) float32."""
    return np.ascontiguousarray(values).reshape(-1).view(np.uint16).astype(np.float32)


def from_words(words: Array[np.float32], dtype: Any) -> Array[Any]:
    """What :func:`as_words` was given, (n,)."""
    return words.astype(np.uint16).view(dtype)


def split_doubles(values: Array[np.float64]) -> Array[np.float32]:
    """Each float64 as two float32 whose sum it is, to about 48 bits; (2, n). What is not finite stays as it is."""
    high = values.astype(np.float32)
    with np.errstate(invalid="ignore"):
        low = np.where(np.isfinite(high), values - high, 0.0).astype(np.float32)
    return np.stack([high, low])


def rounded_length(length: int) -> int:
    """``length`` rounded up to few different values, at most an eighth more: each length that is exchanged costs
    memory on the servers."""
    step = 1 << max(0, length.bit_length() - 1 - _ROUNDED_BITS)
    return max(1, -(-length // step) * step)
