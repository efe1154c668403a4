"""The crop of a photograph's main face, from an array or a file, and what is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.errors import DataError
from fairface.faces import align as alignment
from fairface.faces import photographs
from fairface.faces.detect import Faces
from fairface.faces.main_crop import align
from fairface.faces.mtcnn import MtcnnDetector
from fairface.faces.photographs import read_photograph
from fairface.faces.retinaface import RetinaFaceDetector, output_shapes

POINTS = np.array([[40, 50], [75, 50], [57, 70], [42, 90], [72, 90]], np.float32)


class Seeing:
    """Sees two faces, the second of which is the main one, and remembers what it looked at."""

    def __init__(self, faces: int = 2) -> None:
        self.faces, self.looked = faces, []

    def detect(self, rgb):
        self.looked.append(rgb.shape)
        boxes = np.array([[0, 0, 9, 9], [30, 30, 90, 90]], np.float32)[: self.faces]
        points = np.stack([POINTS + 20, POINTS])[: self.faces]
        return Faces(boxes, np.array([0.9, 0.8], np.float32)[: self.faces], points)


@pytest.fixture
def photograph():
    return cv2.resize(np.random.default_rng(0).integers(0, 255, (9, 13, 3), np.uint8), (130, 120))


def test_given_landmarks_need_no_detector(photograph):
    found = align(photograph, POINTS)
    np.testing.assert_array_equal(found, alignment.align(photograph, POINTS, 112))
    assert align(photograph, POINTS.tolist(), size=64).shape == (64, 64, 3)


def test_the_main_face_is_found_in_an_array_and_in_a_file(photograph, tmp_path):
    detector = Seeing()
    expected = alignment.align(photograph, POINTS, 96)
    np.testing.assert_array_equal(align(photograph, detector=detector, size=96), expected)
    (tmp_path / "a.png").write_bytes(encode_png(photograph))
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(align(path, None, detector, 96), expected)
    assert detector.looked == [(120, 130, 3)] * 3


def test_a_photograph_without_a_face_is_named_with_its_size(photograph, tmp_path):
    (tmp_path / "a.png").write_bytes(encode_png(photograph))
    with pytest.raises(DataError, match=r"^the photograph: no face found in 130x120 pixels; use another photograph"):
        align(photograph, detector=Seeing(0))
    with pytest.raises(DataError, match=r"a\.png: no face found in 130x120 pixels"):
        align(tmp_path / "a.png", detector=Seeing(0))
    with pytest.raises(DataError, match="no face found in 130x120 pixels"):
        align(np.zeros_like(photograph))  # MTCNN


WRONG = {
    "grey": np.zeros((40, 40), np.uint8),
    "four channels": np.zeros((40, 40, 4), np.uint8),
    "two channels": np.zeros((40, 40, 2), np.uint8),
    "several": np.zeros((2, 40, 3, 3), np.uint8),
    "fractions": np.zeros((40, 40, 3), np.float32),
    "wide integers": np.zeros((40, 40, 3), np.int64),
}


@pytest.mark.parametrize("kind", WRONG)
def test_arrays_that_are_no_photographs(kind):
    wrong = WRONG[kind]
    with pytest.raises(DataError, match="it must be uint8") as caught:
        align(wrong, POINTS)
    assert str(caught.value) == f"the photograph: is {wrong.dtype} {wrong.shape}; it must be uint8 (H, W, 3) RGB"


@pytest.fixture(scope="module")
def detectors():
    def nothing(pixels):
        return [np.zeros(shape, np.float32) for shape in output_shapes(*pixels.shape[2:])]

    return MtcnnDetector(), RetinaFaceDetector(nothing)


@pytest.mark.parametrize("kind", WRONG)
def test_detectors_refuse_what_is_no_photograph(detectors, kind):
    for detector in detectors:
        with pytest.raises(ValueError, match=r"an image must be \(H, W, 3\) uint8, not \("):
            detector.detect(WRONG[kind])
        assert len(detector.detect(np.zeros((40, 40, 3), np.uint8))) == 0


def test_what_opencv_or_memory_cannot_do_is_told_of_the_photograph(monkeypatch):
    path = Path("anything")
    monkeypatch.setattr(photographs, "read_bytes", lambda place, name: b"")
    for error, said in (
        (MemoryError(), "memory ran out on this photograph; make it smaller, or use fewer processes"),
        (cv2.error("x"), "too large or too damaged for OpenCV; restore or remove it"),
    ):

        def fail(content, name, error=error):
            raise error

        monkeypatch.setattr(photographs, "decode", fail)
        with pytest.raises(DataError, match=f"^a/b.jpg: {said}"):
            read_photograph(path, "a/b.jpg")
