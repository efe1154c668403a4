"""The header that MXNet puts before an image in a record ("IR header").

Little-endian: flag (uint32), label (float32), id (uint64), id2 (uint64). With flag 0 the label is the number in the
header; with flag n > 0 it is an array of n float32 that follows the header. Then comes the image file.
Source: documentation of ``mxnet.recordio.IRHeader``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import quantity

HEADER = struct.Struct("<IfQQ")


class IRHeader(NamedTuple):
    """``flag`` (0 = one label in the header, else the length of ``label``), ``label`` (n,) float32, ``id``, ``id2``."""

    flag: int
    label: NDArray[np.float32]
    id: int
    id2: int


def pack(label: float | Sequence[float] | NDArray[np.floating], payload: bytes, id: int = 0, id2: int = 0) -> bytes:
    """A record: header, label and payload. A number as label gives flag 0, a sequence its length."""
    if isinstance(label, (int, float)):
        return HEADER.pack(0, label, id, id2) + payload
    values = np.asarray(label, "<f4").ravel()
    return HEADER.pack(len(values), 0.0, id, id2) + values.tobytes() + payload


def unpack(record: bytes, name: str = "record") -> tuple[IRHeader, bytes]:
    """Header and payload of a record.

    Raises:
        DataError: the record is shorter than its header says; ``name`` tells which.
    """
    if len(record) < HEADER.size:
        raise DataError(
            f"{name}: {quantity(len(record), 'byte is', 'bytes are')} too few for an image record; pack the data again"
        )
    flag, number, identifier, second = HEADER.unpack_from(record)
    end = HEADER.size + 4 * flag
    if len(record) < end:
        raise DataError(
            f"{name}: announces {quantity(flag, 'label')} but has only {quantity(len(record), 'byte')}; pack the "
            "data again"
        )
    label = np.frombuffer(record, "<f4", flag, HEADER.size) if flag else np.array([number], np.float32)
    return IRHeader(flag, label, identifier, second), record[end:]
