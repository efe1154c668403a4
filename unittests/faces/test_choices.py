"""Which face, at which place, under which name: by loops, at the ends, and where nothing is said."""

import inspect

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.faces import align as alignment
from fairface.faces.align_report import AlignReport
from fairface.faces.boxes import cut, suppress
from fairface.faces.choose import main_face
from fairface.faces.detect import Faces
from fairface.faces.find import LONGEST, find_faces, find_main
from fairface.faces.folder_worker import Outcome
from fairface.faces.landmarks import Landmarks
from fairface.faces.main_crop import align
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.rescue import ANGLES, CUT, SIZES, find_or_rescue, last_resort, resized
from fairface.faces.retinaface import LEVELS, RetinaFaceConfig, RetinaFaceDetector, output_shapes
from unittests.faces.marks import Fixed


def test_the_main_face_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    for _ in range(200):
        width, height = rng.integers(50, 400, 2).tolist()
        corner = rng.uniform(-20, 200, (4, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(5, 200, (4, 2))], axis=1).astype(np.float32)
        values = []
        for left, top, right, bottom in boxes.astype(float):
            away = ((left + right) / 2 - width / 2) ** 2 + ((top + bottom) / 2 - height / 2) ** 2
            values.append((right - left) * (bottom - top) - 2 * away)
        faces = Faces(boxes, np.ones(4, np.float32), np.zeros((4, 5, 2), np.float32))
        assert main_face(faces, width, height) == int(np.argmax(values))
    twice = Faces(boxes[[1, 1]], np.ones(2, np.float32), np.zeros((2, 5, 2), np.float32))
    assert main_face(twice, 90, 90) == 0


@pytest.mark.parametrize("by_smaller", [False, True])
def test_boxes_apart_in_both_directions_have_nothing_in_common(by_smaller):
    boxes = np.array([[0, 0, 1, 1], [3, 3, 4, 4], [0, 3, 1, 4], [1, 0, 2, 1]], np.float32)
    assert suppress(boxes, np.array([4, 3, 2, 1], np.float32), 0.0, by_smaller).tolist() == [0, 1, 2, 3]


OUTSIDE = [(-4, -4), (9, 8), (0, 8), (0, 9), (2, -4), (2, -5), (-5, 2), (10, 2), (5, 9)]


@pytest.mark.parametrize(("left", "top"), OUTSIDE)
def test_a_square_wholly_outside_the_image_is_black(left, top):
    image = np.full((8, 9, 3), 200, np.uint8)
    assert cut(image, np.array([left, top, left + 4, top + 4]), 6).max() == 0


def test_no_face_is_a_row_with_none():
    rgb = np.zeros((20, 30, 3), np.uint8)
    row = find_main(Fixed(Faces.none()), rgb, "a.jpg")
    assert (row.image, row.faces, row.score, row.points, row.how) == ("a.jpg", 0, None, None, "none")
    last = find_or_rescue(Fixed(Faces.none()), rgb, "a.jpg")
    assert (last.image, last.faces, last.score, last.points, last.how) == ("a.jpg", 0, None, None, "cropped")


@pytest.mark.parametrize(("shape", "enlarge", "expected"), [
    ((1, 200), 0.3, (1, 60)), ((200, 1), 0.3, (60, 1)), ((30, 50), 2.0, (60, 100)), ((33, 51), 0.5, (16, 26)),
    ((30, 50), 1.0, (30, 50)),
])  # fmt: skip
def test_a_copy_has_a_pixel_at_least(shape, enlarge, expected):
    detector = Fixed(Faces.none())
    find_faces(detector, np.zeros((*shape, 3), np.uint8), enlarge)
    assert detector.looked == [expected]
    for longer in (20, 60):
        copy, _ = resized(np.zeros((*shape, 3), np.uint8), longer)
        scale = longer / max(shape)
        assert copy.shape[:2] == tuple(max(round(side * scale), 1) for side in shape)


def test_a_middle_that_shrinks_in_one_direction_only_is_averaged():
    """The middle of 100 x 200 pixels has 88 x 176."""
    image = np.random.default_rng(0).integers(0, 255, (100, 200, 3), np.uint8)
    expected = image[6:94, 12:188].reshape(88, 88, 2, 3).astype(float).mean(axis=2)
    assert np.abs(last_resort(image, 88) - expected).max() <= 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_landmark_that_is_not_finite_is_enough(bad):
    points = np.arange(10.0).reshape(5, 2)
    points[3, 1] = bad
    with pytest.raises(DataError, match="a face needs five landmarks, each with a finite x and y"):
        alignment.similarity(points)


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1)])
def test_a_thin_photograph_keeps_a_pixel_of_its_shorter_side(shape):
    def forward(pixels):
        outputs = [np.zeros(size, np.float32) for size in output_shapes(*pixels.shape[2:])]
        outputs[6][0, 3, 0, 0] = 0.9
        return outputs

    faces = RetinaFaceDetector(forward).detect(np.zeros((*shape, 3), np.uint8))
    ratio = np.array([shape[1] / max(round(shape[1] * 640 / 3000), 1), shape[0] / max(round(shape[0] * 640 / 3000), 1)])
    np.testing.assert_allclose(faces.landmarks[0, 0], 8 * ratio - 0.5, rtol=1e-5)


@pytest.mark.parametrize(("what", "expected"), [
    (MtcnnConfig, {"min_face": 20.0, "factor": 0.709, "thresholds": (0.6, 0.7, 0.9)}),
    (RetinaFaceConfig, {"threshold": 0.8, "overlap": 0.4, "longest": 640, "model": ""}),
    (Landmarks, {"how": "detected"}), (Outcome, {"problem": ""}),
    (align, {"landmarks": None, "detector": None, "size": None, "model": None}),
    (AlignReport, {"forced": (), "rotated": (), "cropped": ()}), (suppress, {"by_smaller": False}),
    (find_faces, {"enlarge": 1.0, "border": 0, "count": True}),
    (find_main, {"enlarge": 1.0, "border": 0, "count": True}),
    (find_or_rescue, {"enlarge": 1.0, "border": 0, "count": True}), (Faces.moved_back, {"border": 0}),
    (alignment.similarity, {"size": 112, "layout": "arcface"}),
    (alignment.align, {"size": 112, "fill": "black", "layout": "arcface"}),
])  # fmt: skip
def test_defaults(what, expected):
    parameters = inspect.signature(what).parameters.values()
    assert {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty} == expected


def test_numbers_that_the_documents_name():
    """Rescue's sizes and angles; the longest side of a photograph; RetinaFace's maps and the squares on their cells."""
    assert (SIZES, ANGLES, CUT, LONGEST) == (
        (80, 160, 320, 480, 640, 800, 960), (-15, 15, -30, 30, -45, 45), 0.06, 4096,
    )  # fmt: skip
    assert LEVELS == ((32, (512, 256)), (16, (128, 64)), (8, (32, 16)))
