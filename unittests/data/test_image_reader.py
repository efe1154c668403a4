"""From a record to pixels of one size."""

import cv2
import numpy as np
import pytest

from fairface.data.image_reader import ImageReader
from fairface.data.images import encode_png, resize
from fairface.data.view import IndexedDataset
from fairface.errors import DataError


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class Broken(IndexedDataset):
    """Images of two sizes, one that the disk does not give and one that the library refuses."""

    def __init__(self):
        super().__init__("broken", np.zeros(4, np.int32), 1)

    def name(self, index):
        return f"record {index}"

    def encoded(self, index):
        if index == 2:
            raise OSError(5, "Input/output\n error")
        if index == 3:
            raise cv2.error("out of\n memory")
        return encode_png(noise(8 + index, 8))


def test_a_reader_names_the_record_and_gives_one_size():
    data = Broken()
    plain, resizing = ImageReader(data, 8), ImageReader(data, 8, may_resize=True)
    assert np.array_equal(plain.read(0), noise(8, 8))
    with pytest.raises(DataError, match=r"^record 1: the image is 8x9 pixels, not 8x8"):
        plain.read(1)
    assert np.array_equal(resizing.read(1), resize(noise(9, 8), 8))
    for index, said in ((2, r"\[Errno 5\] Input/output error"), (3, "out of memory")):
        for reader in (plain, resizing):
            with pytest.raises(DataError, match=rf"^record {index}: cannot be read \({said}\); restore or remove it"):
                reader.read(index)
