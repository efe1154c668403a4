"""Fields of a protobuf message by their numbers, without protobuf: what is not wanted is stepped over, not read."""

from __future__ import annotations

from typing import Protocol

_VARINT, _FIXED64, BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT_BITS = 63
MORE = 0x80  # in a byte of a number that goes on


class Indexed(Protocol):
    """Bytes, or a file that is mapped into memory."""

    def __getitem__(self, place: int, /) -> int: ...


def parts(data: Indexed, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
    """Where the contents of the fields with the number ``wanted`` are, of the message between ``start`` and ``end``.

    Raises:
        ValueError, IndexError: the bytes are no message.
    """
    found = []
    while start < end:
        tag, start = read_varint(data, start)
        kind = tag & 7
        if kind == BYTES:
            length, start = read_varint(data, start)
            if tag >> 3 == wanted:
                found.append((start, start + length))
            start += length
        elif kind == _VARINT:
            _, start = read_varint(data, start)
        elif kind in _FIXED:
            start += _FIXED[kind]
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
    if start != end:
        raise ValueError("a field is longer than the message")
    return found


def read_varint(data: Indexed, start: int) -> tuple[int, int]:
    """The number that begins at ``start``, and where it ends.

    Raises:
        ValueError, IndexError: it goes on for too long, or beyond the bytes.
    """
    byte = data[start]
    start += 1
    value = byte & 0x7F
    shift = 7
    while byte & MORE:
        if shift > _MOST_VARINT_BITS:
            raise ValueError("a number is too long")
        byte = data[start]
        start += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return value, start
