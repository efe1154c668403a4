"""What an image file's first bytes tell, without decoding it: its kind and its size."""

from __future__ import annotations

import struct

# 800 MB as RGB. Cameras of today have 200 million; a file of 200 kB can claim more than a machine has memory for.
MOST_PIXELS = 1 << 28
_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = slice(16, 24)  # width and height, in the first chunk (PNG specification, 11.2.2)
# By the first four bytes: order of bytes, kinds of number that tell the directory's place and length, bytes of an
# entry, and those before its value.
_TIFF_KINDS = {
    b"II*\0": ("<", "I", "H", 12, 8), b"MM\0*": (">", "I", "H", 12, 8),
    b"II+\0": ("<", "Q", "Q", 20, 12), b"MM\0+": (">", "Q", "Q", 20, 12),
}  # fmt: skip
_WIDTH, _HEIGHT = 256, 257
_NUMBERS = {3: "H", 4: "I", 16: "Q"}  # SHORT, LONG, LONG8
_MOST_ENTRIES = 1000
_CODE_STREAM = b"\xff\x4f\xff\x51"  # JPEG 2000's markers SOC and SIZ
_MARKER = 0xFF
_FRAME_KINDS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's "start of frame" markers


def too_many_pixels(data: bytes) -> tuple[int, int] | None:
    """Height and width of an image that claims more than :data:`MOST_PIXELS`; ``None`` of any other.

    PNG, JPEG, TIFF, JPEG 2000 and BMP pack large plain images into small files. WebP holds no more pixels than that.
    """
    readers = (png_size, jpeg_size, tiff_size, jpeg2000_size, bmp_size)
    size = next((found for read in readers if (found := read(data)) is not None), None)
    return size if size is not None and size[0] * size[1] > MOST_PIXELS else None


def png_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a PNG's header tells; ``None`` where there is no such header."""
    if not is_png(data) or len(data) < _PNG_SIZE.stop:
        return None
    sides = data[_PNG_SIZE]
    return int.from_bytes(sides[4:], "big"), int.from_bytes(sides[:4], "big")


def tiff_size(data: bytes) -> tuple[int, int] | None:
    """Height and width in the first directory of a TIFF (TIFF 6.0, section 2) or BigTIFF; ``None`` without one."""
    kind = _TIFF_KINDS.get(data[:4])
    if kind is None:
        return None
    order, place, count, entry, value = kind
    sides: dict[int, int] = {}
    try:
        (start,) = struct.unpack_from(f"{order}{place}", data, 4 if place == "I" else 8)
        (entries,) = struct.unpack_from(f"{order}{count}", data, start)
        first = start + struct.calcsize(count)
        for at in range(first, first + entry * min(entries, _MOST_ENTRIES), entry):
            tag, form = struct.unpack_from(f"{order}HH", data, at)
            if tag in (_WIDTH, _HEIGHT) and form in _NUMBERS:
                (sides[tag],) = struct.unpack_from(f"{order}{_NUMBERS[form]}", data, at + value)
    except (struct.error, OverflowError):  # cut off: nothing is decoded of it
        return None
    return (sides[_HEIGHT], sides[_WIDTH]) if len(sides) == 2 else None


def jpeg2000_size(data: bytes) -> tuple[int, int] | None:
    """Height and width in the main header of JPEG 2000, alone or in a JP2 file (ISO 15444-1, A.5.1); ``None`` without
    one."""
    at = data.find(_CODE_STREAM) if data[4:8] == b"jP  " or data[:4] == _CODE_STREAM else -1
    if at < 0 or len(data) < at + 24:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    return bottom - top, right - left


def bmp_size(data: bytes) -> tuple[int, int] | None:
    """Height and width in the header of a BMP; ``None`` where there is none."""
    if data[:2] != b"BM" or len(data) < 26:
        return None
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(height), abs(width)  # a negative height: rows from the top


def is_jpeg(data: bytes) -> bool:
    """Whether the bytes begin as a JPEG file does."""
    return data[:3] == _JPEG_START


def is_png(data: bytes) -> bool:
    """Whether the bytes begin as a PNG file does."""
    return data[:8] == _PNG_START


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a JPEG's header tells, without decoding; ``None`` where there is no such header."""
    position = 2
    while is_jpeg(data) and position + 9 <= len(data) and data[position] == _MARKER:
        kind, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        if kind in _FRAME_KINDS:
            height, width = (int.from_bytes(data[position + i : position + i + 2], "big") for i in (5, 7))
            return height, width
        position += 2 + length
    return None
