"""Images to the byte: what a file is, its size without decoding, what may be kept as it is."""

import os
import struct

import cv2
import numpy as np
import pytest

from fairface.data.image_size import is_jpeg, is_png, jpeg_size
from fairface.data.images import (
    check_size,
    decode,
    encode_jpeg,
    encode_png,
    keep_or_convert,
    read_bytes,
    resize,
    to_stored_jpeg,
    try_decode,
)
from fairface.data.phone_formats import is_heic, is_webp
from fairface.errors import RESIZE, SKIP_BAD, DataError


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("check", "head"),
    [
        (is_jpeg, b"\xff\xd8\xff"),
        (is_png, b"\x89PNG\r\n\x1a\n"),
        (is_webp, b"RIFF\0\0\0\0WEBP"),
        (is_heic, b"\0\0\0\x18ftypheic"),
        (is_heic, b"\0\0\0\x18ftypmif1"),
    ],
)
def test_files_are_known_by_every_byte_of_their_beginning(check, head):
    assert check(head)
    assert check(head + b"more")
    free = {is_webp: range(4, 8), is_heic: range(4)}.get(check, ())  # lengths
    for place in range(len(head)):
        changed = bytearray(head)
        changed[place] ^= 0x40
        assert check(bytes(changed)) == (place in free)
    assert not check(head[:-1])


def segment(kind, content):
    return bytes([0xFF, kind]) + struct.pack(">H", len(content) + 2) + content


@pytest.mark.parametrize("kind", range(0xC0, 0xD0))
def test_the_size_stands_in_the_first_frame_header(kind):
    """Markers C0 to CF are frame headers but for C4 (Huffman tables), C8 (reserved) and CC (arithmetic coding)."""
    frame = segment(kind, b"\x08" + struct.pack(">HH", 300, 70) + b"\x03")
    later = segment(0xC0, b"\x08" + struct.pack(">HH", 5, 6) + b"\x03")
    data = b"\xff\xd8" + segment(0xE0, b"JFIF") + frame + later
    assert jpeg_size(data) == ((5, 6) if kind in (0xC4, 0xC8, 0xCC) else (300, 70))


def test_a_size_is_told_as_soon_as_it_is_there_and_never_beyond_the_end():
    frame = segment(0xC0, b"\x08" + struct.pack(">HH", 300, 70))
    data = b"\xff\xd8" + frame
    assert jpeg_size(data) == (300, 70)
    assert jpeg_size(data[:-1]) is None
    assert jpeg_size(b"\xff\xd8\xff\xe0\x00\x04ab" + frame[1:]) is None  # no marker where one should be
    assert jpeg_size(b"\x89PNG" + data) is None
    for height, width in ((1, 1), (17, 300)):
        assert jpeg_size(encode_jpeg(noise(height, width))) == (height, width)


def test_qualities():
    image = noise(40, 40)
    default = encode_jpeg(image)
    assert (
        default
        == encode_jpeg(image, 95)
        == cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    )
    assert len(encode_jpeg(image, 1)) < len(encode_jpeg(image, 94)) < len(default) < len(encode_jpeg(image, 100))
    png = encode_png(image)
    assert to_stored_jpeg(png, "x", 40) == keep_or_convert(png, "x", 40) == default
    assert to_stored_jpeg(png, "x", 40, 60) == keep_or_convert(png, "x", 40, 60) == encode_jpeg(image, 60)


@pytest.mark.parametrize("convert", [to_stored_jpeg, keep_or_convert])
def test_what_is_stored_has_the_wanted_size_on_both_sides(convert):
    for height, width in ((40, 30), (30, 40), (30, 30)):
        with pytest.raises(DataError, match=f"^x: {width}x{height} pixels, not 40x40; align") as caught:
            convert(encode_jpeg(noise(height, width)), "x", 40)
        assert caught.value.settings == (RESIZE,)
        resized = convert(encode_jpeg(noise(height, width)), "x", 40, may_resize=True)
        assert jpeg_size(resized) == (40, 40)
    own = encode_jpeg(noise(40, 40), 70)
    assert convert(own, "x", 40) == convert(own, "x", 40, 95, True) == own


def test_a_packed_image_is_kept_without_being_decoded_and_a_photograph_is_not():
    cut = encode_jpeg(noise(40, 40))[:700]
    assert keep_or_convert(cut, "x", 40) == cut
    with pytest.raises(
        DataError, match=r"^x: a JPEG image that is cut off or damaged \(700 bytes\); restore or"
    ) as told:
        to_stored_jpeg(cut, "x", 40)
    assert told.value.settings == (SKIP_BAD,)


def test_sizes_are_checked_on_both_sides():
    check_size(noise(8, 8), "x", 8)
    for height, width in ((8, 9), (9, 8)):
        with pytest.raises(DataError, match=f"^x: the image is {width}x{height} pixels, not 8x8; align it") as caught:
            check_size(noise(height, width), "x", 8)
        assert caught.value.settings == (RESIZE,)
        with pytest.raises(DataError, match=f"{width}x{height}"):
            decode(encode_png(noise(height, width)), "x", 8)
    assert try_decode(b"", str) is None
    assert try_decode(b"text", str) is None


@pytest.mark.parametrize(("height", "width"), [(9, 12), (12, 9), (8, 12), (12, 8), (4, 4), (8, 4)])
def test_images_are_averaged_only_where_both_sides_shrink(height, width):
    image = noise(height, width)
    how = cv2.INTER_AREA if min(height, width) > 8 else cv2.INTER_LINEAR
    assert np.array_equal(resize(image, 8), cv2.resize(image, (8, 8), interpolation=how))
    same = noise(8, 8)
    assert resize(same, 8) is same


def test_an_image_that_cannot_be_written(monkeypatch):
    monkeypatch.setattr(cv2, "imencode", lambda *arguments: (False, None))
    with pytest.raises(DataError, match=r"an image of shape \(4, 5, 3\) cannot be written as \.png"):
        encode_png(noise(4, 5))


def test_a_file_that_comes_in_pieces_is_read_to_its_end(tmp_path, monkeypatch):
    content = bytes(range(100))
    (tmp_path / "a").write_bytes(content)
    whole = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: whole(handle, min(size, 7)))
    assert read_bytes(tmp_path / "a") == content
    monkeypatch.setattr(os, "read", lambda handle, size: whole(handle, min(size, 30)) if size > 50 else b"")
    assert read_bytes(tmp_path / "a") == content[:60]  # it was cut off while it was read: what is there
    with pytest.raises(DataError, match=r"^b: cannot be read \(No such file or directory\); restore it or correct"):
        read_bytes(tmp_path / "gone", "b")
    with pytest.raises(DataError, match="gone: cannot be read"):
        read_bytes(tmp_path / "gone")
