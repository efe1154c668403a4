"""The EXIF orientation of WebP files, tag by tag."""

import struct

import pytest

from fairface.data.phone_formats import webp_orientation


def riff(*chunks):
    return b"RIFF\0\0\0\0WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for kind, content in chunks
    )


def tiff(entries, order="<", count=None):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    table = b"".join(struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0) for tag, kind, value in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries) if count is None else count) + table


@pytest.mark.parametrize(
    ("data", "orientation"),
    [
        (riff((b"EXIF", tiff([(0x0112, 3, 6)]))), 6),
        (riff((b"EXIF", tiff([(0x0112, 3, 6)], ">"))), 6),
        (riff((b"ABCD", b"x"), (b"EXIF", b"Exif\0\0" + tiff([(0x0100, 3, 9), (0x0112, 3, 8)]))), 8),
        (riff((b"EXIF", tiff([(0x0112, 3, 5), (0x0112, 3, 8)]))), 5),
        (riff((b"EXIF", tiff([(0x0112, 4, 6)]))), 1),  # of another type
        (riff((b"EXIF", tiff([(0x0111, 3, 6), (0x0113, 3, 6)]))), 1),
        (riff((b"EXIF", tiff([(0x0112, 3, 6)], count=0))), 1),
        (riff((b"EXIF", tiff([(0x0100, 3, 6)], count=2))), 1),  # cut off
        (riff((b"EXIF", b"XX" + tiff([(0x0112, 3, 6)])[2:])), 1),
        (riff((b"EXIF", b"II"))[:-1], 1),
        (riff((b"EXIF", b""), (b"EXIF", tiff([(0x0112, 3, 6)]))), 1),
        (riff((b"VP8 ", b"EXIF" + tiff([(0x0112, 3, 6)]))), 1),
        (riff() + b"EXIF\0\0\0", 1),
        (riff(), 1),
    ],
)
def test_orientations_of_webp_files(data, orientation):
    assert webp_orientation(data) == orientation
