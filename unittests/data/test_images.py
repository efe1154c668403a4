"""fairface.data.images"""

import cv2
import numpy as np
import pytest

from fairface.data.image_size import is_jpeg
from fairface.data.images import decode, encode_jpeg, encode_png, resize, to_stored_jpeg
from fairface.errors import RESIZE, DataError


def gradient(size: int = 112) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return np.stack([x * 255 // size, y * 255 // size, (x + y) * 127 // size], axis=2).astype(np.uint8)


def test_png_comes_back_exactly_and_as_rgb():
    image = gradient(31)
    assert np.array_equal(decode(encode_png(image), "x"), image)


def test_jpeg_comes_back_nearly():
    image = gradient()
    assert np.abs(decode(encode_jpeg(image), "x").astype(int) - image).mean() < 2


def test_grey_becomes_three_equal_channels():
    grey = gradient()[:, :, 0]
    image = decode(cv2.imencode(".png", grey)[1].tobytes(), "x")
    assert image.shape == (112, 112, 3)
    assert all(np.array_equal(image[:, :, c], grey) for c in range(3))


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "0 bytes"), (b"hello, world", "not an image"), (encode_jpeg(gradient())[:700], "cut off")],
)
def test_what_is_no_image_is_named(data, said):
    with pytest.raises(DataError, match=rf"train\.rec: record 7: .*{said}"):
        decode(data, "train.rec: record 7")


def test_wrong_size_is_told():
    with pytest.raises(DataError, match="x: the image is 30x30 pixels, not 112x112"):
        decode(encode_png(gradient(30)), "x", 112)


def test_stored_jpeg_is_kept_byte_for_byte():
    data = encode_jpeg(gradient(), 60)
    assert to_stored_jpeg(data, "x", 112) is data


def test_other_formats_and_sizes_are_encoded():
    data = to_stored_jpeg(encode_png(gradient()), "x", 112)
    assert is_jpeg(data)
    with pytest.raises(DataError, match=r"100x100 pixels, not 112x112.*align.*--size") as raised:
        to_stored_jpeg(encode_jpeg(gradient(100)), "x", 112)
    assert raised.value.settings == (RESIZE,)
    assert decode(to_stored_jpeg(encode_jpeg(gradient(100)), "x", 112, may_resize=True), "x").shape == (112, 112, 3)


def test_resize_averages_when_it_shrinks():
    image = np.zeros((8, 8, 3), np.uint8)
    image[::2] = 200
    assert np.all(resize(image, 4) == 100)
