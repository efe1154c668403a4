import cv2
import numpy as np
import pytest

from fairface.data.images import decode
from fairface.errors import DataError
from fairface.faces.align import TEMPLATE_112, align
from fairface.faces.aligned_files import AlignedFiles


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 255, (130, 140, 3)).astype(np.uint8))
    return tmp_path


def test_images_are_aligned_when_they_are_read(folder):
    points = np.stack([TEMPLATE_112 * 1.1 + 3, TEMPLATE_112])
    found = AlignedFiles(folder, ["a.png", "b.png"], points, 64)
    for index, name in enumerate(("a.png", "b.png")):
        image = cv2.imread(str(folder / name))[:, :, ::-1]
        expected = align(np.ascontiguousarray(image), points[index], 64)
        np.testing.assert_array_equal(found[index].image, expected)
        np.testing.assert_array_equal(decode(found.encoded(index), name), expected)
        assert found.name(index) == str(folder / name)


def test_what_cannot_be_aligned_is_named(folder):
    points = np.stack([TEMPLATE_112, np.zeros((5, 2), np.float32)])
    with pytest.raises(DataError, match=r"b\.png: the five landmarks of a face all lie at one place; correct its line"):
        AlignedFiles(folder, ["a.png", "b.png"], points)[1]
    with pytest.raises(DataError, match=r"1 of 2 images is not there \(c\.png\)"):
        AlignedFiles(folder, ["a.png", "c.png"], points)
    with pytest.raises(DataError, match=r"points of shape \(2, 5, 2\) for 1 image"):
        AlignedFiles(folder, ["a.png"], points)
