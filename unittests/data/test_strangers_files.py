"""Files that a stranger put into a data set: pipes, devices, images of absurd sizes, control characters."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.data.image_size import MOST_PIXELS, bmp_size, jpeg2000_size, png_size, tiff_size, too_many_pixels
from fairface.data.images import decode, encode_jpeg, encode_png, read_bytes
from fairface.data.pread_file import PreadFile
from fairface.data.table import read_csv_table, read_text
from fairface.data.text_lines import read_lines
from fairface.errors import DataError


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def black_png(width: int, height: int) -> bytes:
    """One bit a pixel, all zero: a file of an eight-thousandth of its pixels."""
    pack = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_an_image_that_claims_too_many_pixels_is_not_decoded() -> None:
    data = black_png(20_000, 20_000)
    assert len(data) < 100_000
    with pytest.raises(DataError, match=r"^a\.png: an image of 20000x20000 pixels in .* smaller than 268 megapixels"):
        decode(data, "a.png")
    frame = encode_jpeg(np.zeros((8, 8, 3), np.uint8))
    place = frame.index(b"\xff\xc0") + 5
    large = frame[:place] + struct.pack(">HH", 60_000, 60_000) + frame[place + 4 :]
    with pytest.raises(DataError, match="an image of 60000x60000 pixels"):
        decode(large, "a.jpg")


def test_the_bound_itself() -> None:
    assert MOST_PIXELS >> 14 == 1 << 14
    for sides, refused in (((1 << 14, 1 << 14), None), (((1 << 14) + 1, 1 << 14), (1 << 14, (1 << 14) + 1))):
        head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *sides, 1, 0, 0, 0, 0))
        assert png_size(head) == sides[::-1]
        assert too_many_pixels(head) == refused
    assert png_size(head[:23]) is None
    assert png_size(encode_png(np.zeros((3, 5, 3), np.uint8))) == (3, 5)


@pytest.mark.parametrize(
    ("suffix", "reader"), [(".tiff", tiff_size), (".jp2", jpeg2000_size), (".bmp", bmp_size), (".png", png_size)]
)
def test_other_kinds_tell_their_size_as_they_are_decoded(suffix: str, reader: Callable[[bytes], object]) -> None:
    pixels = np.arange(33 * 47 * 3, dtype=np.uint32).astype(np.uint8).reshape(33, 47, 3)
    data = cv2.imencode(suffix, pixels)[1].tobytes()
    assert reader(data) == decode(data, "x").shape[:2] == (33, 47)
    assert {reader(data[:length]) for length in range(len(data))} <= {None, (33, 47)}
    assert reader(bytes(8) + data[8:]) is None


def test_a_tiff_of_two_megabytes_that_holds_a_gigabyte() -> None:
    data = bytearray(cv2.imencode(".tiff", np.zeros((33, 47, 3), np.uint8))[1].tobytes())
    (start,) = struct.unpack_from("<I", data, 4)
    for entry in range(struct.unpack_from("<H", data, start)[0]):
        at = start + 2 + 12 * entry
        if struct.unpack_from("<H", data, at)[0] in (256, 257):
            struct.pack_into("<HII", data, at + 2, 4, 1, 20_000)
    with pytest.raises(DataError, match="an image of 20000x20000 pixels"):
        decode(bytes(data), "a.tiff")


def test_jpeg_2000_without_a_file_around_it() -> None:
    data = cv2.imencode(".jp2", np.zeros((33, 47, 3), np.uint8))[1].tobytes()
    assert jpeg2000_size(data[data.index(b"\xff\x4f\xff\x51") :]) == (33, 47)


def test_big_tiff() -> None:
    assert tiff_size(b"II+\0\x08\0\0\0" + b"\xff" * 8) is None
    entries = b"".join(struct.pack(">HHQHxxxxxx", tag, 3, 1, side) for tag, side in ((256, 47), (257, 33)))
    assert tiff_size(b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 2) + entries) == (33, 47)


def test_a_pipe_among_photographs_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "1.jpg"
    os.mkfifo(pipe)
    code = (
        "from fairface.data.images import read_bytes; from fairface.data.pread_file import PreadFile\n"
        "for read in (read_bytes, PreadFile):\n"
        "    try: read(__import__('sys').argv[1])\n"
        "    except Exception as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pipe)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == [
        f"{pipe}: is a pipe or a device, not a file; remove it",
        f"{pipe}: is a pipe or a device, not a file; name a file",
    ]


def test_a_link_to_a_device(tmp_path: Path) -> None:
    """``/dev/full`` gives zeros without end, as ``/dev/zero`` does."""
    link = tmp_path / "people.csv"
    link.symlink_to("/dev/full")
    for read in (read_text, lambda path: read_lines(path, "a b")):
        with pytest.raises(DataError, match=r"people\.csv: is a device, not a file"):
            read(link)
    for use in (read_bytes, PreadFile):
        with pytest.raises(DataError, match=r"people\.csv: is a pipe or a device"):
            use(link)


def test_a_pipe_that_the_user_names_is_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"image,sex\na,f\n")
    os.close(writing)
    try:
        assert read_text(f"/dev/fd/{reading}") == "image,sex\na,f\n"
    finally:
        os.close(reading)
    assert read_text(os.devnull) == ""


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\x7f", "\x08", "\x0b", "\x1c"])
def test_control_characters_in_a_table(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"image,sex\na,f\nb,m{sign}[2J\n")
    with pytest.raises(DataError, match=r"people\.csv: line 3 holds the control character '.*'"):
        read_csv_table(path)
    path.write_text('image,sex\r\na,"f\tg"\r\nb,m\r\n')  # tabs and line ends are none of them
    assert list(read_csv_table(path).column("sex")) == ["f\tg", "m"]
