"""WebP files are turned as their EXIF data say, which are made here by hand."""

import struct

import cv2
import numpy as np
import pytest

from fairface.data.images import decode
from fairface.data.phone_formats import upright, webp_orientation

# Where the pixel (row, column) of the upright image (H, W) stands in the stored one: EXIF's table of orientations.
STORED = {
    1: lambda r, c, h, w: (r, c), 2: lambda r, c, h, w: (r, w - 1 - c), 3: lambda r, c, h, w: (h - 1 - r, w - 1 - c),
    4: lambda r, c, h, w: (h - 1 - r, c), 5: lambda r, c, h, w: (c, r), 6: lambda r, c, h, w: (w - 1 - c, r),
    7: lambda r, c, h, w: (w - 1 - c, h - 1 - r), 8: lambda r, c, h, w: (c, h - 1 - r),
}  # fmt: skip


def stored(image, orientation):
    """``image`` as a camera held that way stores it, pixel by pixel."""
    height, width = image.shape[:2]
    result = np.zeros((width, height, 3) if orientation > 4 else image.shape, np.uint8)
    for row in range(height):
        for column in range(width):
            result[STORED[orientation](row, column, height, width)] = image[row, column]
    return result


def exif(orientation, order="<", tag=0x0112, kind=3):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x0100, 4, 1, struct.pack(f"{order}I", 8)), (tag, kind, 1, struct.pack(f"{order}HH", orientation, 0))]
    body = b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + body + bytes(4)


def webp(image, data, name=b"EXIF", before=b""):
    """A lossless WebP file with EXIF data (RIFF chunks: VP8X with the EXIF flag, the image, the data)."""
    done, plain = cv2.imencode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 101])
    assert done
    height, width = image.shape[:2]
    flags = bytes([8, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")

    def chunk(kind, content):
        return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)

    body = b"WEBP" + chunk(b"VP8X", flags) + before + plain.tobytes()[12:] + chunk(name, data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (6, 10, 3), dtype=np.uint8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations(picture, orientation, order):
    held = stored(picture, orientation)
    assert np.array_equal(upright(held, orientation), picture)
    for data in (exif(orientation, order), b"Exif\0\0" + exif(orientation, order)):
        assert np.array_equal(decode(webp(held, data), "x"), picture)


def test_chunks_of_odd_length_before_the_data(picture):
    held = stored(picture, 6)
    odd = b"XXXX" + struct.pack("<I", 3) + b"abc\0"
    assert np.array_equal(decode(webp(held, exif(6), before=odd), "x"), picture)


def test_what_tells_no_orientation_leaves_the_image(picture):
    long = exif(6)
    for data in (exif(0), exif(9), exif(6, tag=0x0113), exif(6, kind=4), long[:30], b"", b"II", b"XX" + long[2:],
                 b"II*\0\xff\xff\xff\xff"):  # fmt: skip
        assert np.array_equal(decode(webp(picture, data), "x"), picture)
    assert np.array_equal(decode(webp(picture, long, name=b"XMP "), "x"), picture)
    assert webp_orientation(b"RIFF\0\0\0\0WEBPEXIF\xff\xff\xff\xff") == 1
