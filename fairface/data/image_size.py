"""What an image file's first bytes tell, without decoding it: its kind and its size."""

from __future__ import annotations

# 800 MB as RGB. Cameras of today have 200 million; a file of 200 kB can claim more than a machine has memory for.
MOST_PIXELS = 1 << 28
_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = slice(16, 24)  # width and height, in the first chunk (PNG specification, 11.2.2)
_MARKER = 0xFF
_FRAME_KINDS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's "start of frame" markers


def too_many_pixels(data: bytes) -> tuple[int, int] | None:
    """Height and width of a PNG or JPEG that claims more than :data:`MOST_PIXELS`; ``None`` of any other."""
    size = png_size(data) or jpeg_size(data)
    return size if size is not None and size[0] * size[1] > MOST_PIXELS else None


def png_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a PNG's header tells; ``None`` where there is no such header."""
    if not is_png(data) or len(data) < _PNG_SIZE.stop:
        return None
    sides = data[_PNG_SIZE]
    return int.from_bytes(sides[4:], "big"), int.from_bytes(sides[:4], "big")


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
