"""What OpenCV does not do: the EXIF orientation of WebP files, and HEIC, the format of phones."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.decoder import DECODER

Pixels = NDArray[np.uint8]

_ORIENTATION_TAG = 0x0112
_SHORT = 3
_EXIF_PREFIX = b"Exif\0\0"
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_GREY, _RGB_CHANNELS = 2, 3


def is_webp(data: bytes) -> bool:
    """Whether the bytes begin as a WebP file does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def is_heic(data: bytes) -> bool:
    """Whether the bytes begin as a HEIC or HEIF file does."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS


def decode_webp(data: bytes) -> Pixels | None:
    """A WebP file as uint8 (H, W, 3) RGB, turned as its EXIF data say; ``None`` where it cannot be decoded."""
    # No version of OpenCV then turns it by itself.
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    image, _ = DECODER.decode(data, flags)
    return None if image is None else upright(np.asarray(image, np.uint8), webp_orientation(data))


def decode_heic(data: bytes) -> Pixels | None:
    """A HEIC file as uint8 (H, W, 3) RGB; ``None`` without the package pillow-heif or where it cannot be decoded.

    Orientation is part of the format, and libheif applies it.
    """
    try:
        import pillow_heif  # optional
    except ImportError:
        return None
    try:
        image = np.asarray(pillow_heif.read_heif(io.BytesIO(data), convert_hdr_to_8bit=True), np.uint8)
    except (ValueError, RuntimeError, OSError, SyntaxError):  # its ways to say that the file is damaged
        return None
    if image.ndim == _GREY:
        image = np.repeat(image[:, :, None], _RGB_CHANNELS, axis=2)
    return np.ascontiguousarray(image[:, :, :_RGB_CHANNELS])


def upright(image: Pixels, orientation: int) -> Pixels:
    """The image (H, W, 3) turned as the EXIF tag "orientation" says (EXIF 2.3, 4.6.4 A): 1, and what is no
    orientation, leaves it."""
    turned = {
        2: lambda: image[:, ::-1],
        3: lambda: image[::-1, ::-1],
        4: lambda: image[::-1],
        5: lambda: image.transpose(1, 0, 2),
        6: lambda: image.transpose(1, 0, 2)[:, ::-1],
        7: lambda: image.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda: image.transpose(1, 0, 2)[::-1],
    }.get(orientation)
    return image if turned is None else np.ascontiguousarray(turned())


def webp_orientation(data: bytes) -> int:
    """The EXIF orientation of a WebP file, 1 where it tells none (RIFF container: chunks of 4 letters, a size, and so
    many bytes, padded to an even number)."""
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"EXIF":
            return _orientation(data[position + 8 : position + 8 + size].removeprefix(_EXIF_PREFIX))
        position += 8 + size + size % 2
    return 1


def _orientation(exif: bytes) -> int:
    """The orientation in the first directory of EXIF data, which are laid out as a TIFF file is."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, place)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, place + 2 + 12 * entry)
            if (tag, kind) == (_ORIENTATION_TAG, _SHORT):
                return int(value)
    except struct.error:  # cut off: OpenCV does not turn such an image either
        return 1
    return 1
