"""Whether a file of MXNet's named arrays is whole, before MXNet reads it.

MXNet believes what such a file says: it asks for as much memory as a shape claims, reads beyond its own arrays where a
shape has negative sides, and of two arrays of one name gives the last. The layout is that of ``NDArray::Save`` and
``NDArray::Load`` (src/ndarray/ndarray.cc): a list's number and 0, the count of arrays, the arrays, the count of names,
the names. Numbers are little endian.
"""

from __future__ import annotations

import struct
from collections import Counter
from math import prod
from pathlib import Path
from typing import IO

from fairface.errors import CheckpointError

_LIST = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # older ones begin with the number of sides
_DENSE = 0
_BYTES = {0: 4, 1: 8, 2: 2, 3: 1, 4: 4, 5: 1, 6: 8, 7: 1, 12: 2}  # of a value, by mshadow's number of its type
_MOST_SIDES = 32
_LONGEST_NAME = 1 << 12


def check_parameters_file(path: Path) -> None:
    """Refuse a file whose arrays and names are not all in it.

    Raises:
        OSError: it cannot be read.
        CheckpointError: it is cut off, damaged, holds an array without values or a sparse one, or a name twice.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            names = _names(file, size)
        except (ValueError, struct.error, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path}: cannot be read as parameters ({error}); copy it again") from error
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise CheckpointError(f"{path}: holds {twice!r} twice, and which one counts is not known; write it again")


def _names(file: IO[bytes], size: int) -> list[str]:
    kind, reserved, arrays = _read(file, "<QQQ")
    if (kind, reserved) != (_LIST, 0):
        raise ValueError("it is no list of MXNet's arrays")
    for _ in range(_count(arrays, file, size)):
        _step_over_array(file, size)
    (count,) = _read(file, "<Q")
    return [_name(file) for _ in range(_count(count, file, size))]


def _count(count: int, file: IO[bytes], size: int) -> int:
    """``count``, if so many things of some bytes each may still come."""
    if count > size - file.tell():
        raise ValueError(f"it says that {count} arrays or names follow, and ends before")
    return count


def _step_over_array(file: IO[bytes], size: int) -> None:
    (magic,) = _read(file, "<I")
    if magic in (_V2, _V3) and _read(file, "<i") != (_DENSE,):
        raise ValueError("it holds a sparse array")
    wide = magic in (_V1, _V2, _V3)
    (sides,) = _read(file, "<i") if wide else (magic,)
    if not 0 < sides <= _MOST_SIDES:
        raise ValueError(f"it holds an array of {sides} sides")
    shape = _read(file, f"<{sides}{'q' if wide else 'I'}")
    _, _, kind = _read(file, "<iii")  # device, its number, type
    if min(shape) < 0 or kind not in _BYTES:
        raise ValueError(f"it holds an array of shape {shape} and type {kind}")
    end = file.tell() + prod(shape) * _BYTES[kind]
    if end > size:
        raise ValueError(f"it ends within an array of shape {shape}")
    file.seek(end)


def _name(file: IO[bytes]) -> str:
    (length,) = _read(file, "<Q")
    if length > _LONGEST_NAME:
        raise ValueError(f"it holds a name of {length} bytes")
    data = file.read(length)
    if len(data) < length:
        raise ValueError("it ends within a name")
    return data.decode("utf-8")


def _read(file: IO[bytes], form: str) -> tuple[int, ...]:
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise ValueError("it ends too early")
    return struct.unpack(form, data)
