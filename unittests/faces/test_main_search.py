"""The search for the main face alone against the full one, on drawn photographs."""

import numpy as np
import pytest

from benchmarks.drawn_faces import draw_face, draw_photograph
from fairface.faces import main_search, mtcnn
from fairface.faces.cascade import Cascade
from fairface.faces.choose import face_values, main_face, only_main
from fairface.faces.detect import Faces, MainFaceDetector
from fairface.faces.find import find_faces, find_main


@pytest.fixture(scope="module")
def detector():
    return mtcnn.MtcnnDetector()


def assert_same(found, faces, rgb):
    wanted = main_face(faces, width=rgb.shape[1], height=rgb.shape[0])
    assert len(found) == (wanted is not None)
    if wanted is not None:
        np.testing.assert_allclose(found.landmarks[0], faces.landmarks[wanted], atol=1e-2)
        np.testing.assert_allclose(found.boxes[0], faces.boxes[wanted], atol=1e-2)
        assert found.scores[0] == pytest.approx(faces.scores[wanted], abs=1e-4)


def test_the_main_face_is_that_of_the_full_search(detector):
    generator, several = np.random.default_rng(0), 0
    for _ in range(60):
        rgb = draw_photograph(int(generator.integers(80, 260)), int(generator.integers(80, 260)), generator, others=3)
        faces = detector.detect(rgb)
        several += len(faces) > 1
        assert_same(detector.detect_main(rgb), faces, rgb)
    assert several > 5


def test_a_large_face_in_the_corner_loses_to_a_small_one_in_the_middle(detector):
    rgb = np.full((300, 400, 3), 90, np.uint8)
    rgb[:200, :200] = draw_face(200)
    rgb[100:200, 220:320] = draw_face(100)
    faces = detector.detect(rgb)
    assert len(faces) == 2
    assert_same(detector.detect_main(rgb), faces, rgb)
    width = detector.detect_main(rgb).boxes[0] @ (-1, 0, 1, 0)
    assert width < 70


def test_without_a_face_there_is_none(detector):
    noise = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    for image in (noise, noise[:11], noise[:1, :1]):
        assert len(detector.detect_main(image)) == 0
    with pytest.raises(ValueError, match="uint8"):
        detector.detect_main(noise.astype(float))


def test_small_scales_are_left_out_once_a_face_has_won(monkeypatch):
    seen = []

    class Counting(Cascade):
        def propose(self, rgb, scale):
            seen.append(scale)
            return super().propose(rgb, scale)

    monkeypatch.setattr(mtcnn, "Cascade", Counting)
    detector = mtcnn.MtcnnDetector()
    image = draw_face(250)
    found = detector.detect_main(image)
    value = face_values(found, 250, 250)[0]
    main, scales = list(seen), sorted(12 / 20 * 0.709**k for k in range(9) if 250 * 12 / 20 * 0.709**k >= 12)
    assert main == pytest.approx(scales[: len(main)])
    # The next cells, of 12 pixels divided by their scale, could not become so large a face; the last ones could.
    assert (3 * 12 / scales[len(main)]) ** 2 < value <= (3 * 12 / scales[len(main) - 1]) ** 2
    seen.clear()
    detector.detect(image)
    assert len(seen) == len(scales) > len(main) + 2


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.85])
def test_any_step_of_the_pyramid_gives_the_same(factor):
    detector = mtcnn.MtcnnDetector(mtcnn.MtcnnConfig(factor=factor))
    generator = np.random.default_rng(3)
    for _ in range(4):
        rgb = draw_photograph(120, 150, generator, others=2)
        assert_same(detector.detect_main(rgb), detector.detect(rgb), rgb)


def test_whatever_passes_is_looked_at_by_the_third_net_once(monkeypatch):
    """With bounds that never hold the search sees all scales and still looks at no box twice."""
    monkeypatch.setattr(main_search, "GROWTH", 1e3)
    monkeypatch.setattr(main_search, "SQUARE_GROWTH", 1e3)
    monkeypatch.setattr(main_search, "_EARLY", 0.0)
    looked = []
    real = Cascade.look_one_by_one

    def look(self, rgb, boxes):
        looked.extend(box.tobytes() for box in boxes)
        return real(self, rgb, boxes)

    monkeypatch.setattr(Cascade, "look_one_by_one", look)
    detector = mtcnn.MtcnnDetector()
    rgb = draw_photograph(200, 150, np.random.default_rng(1), others=2)
    assert_same(detector.detect_main(rgb), detector.detect(rgb), rgb)
    assert len(looked) == len(set(looked)) > 0


def test_values_and_the_only_main_face_by_hand():
    boxes = np.array([[0, 0, 40, 40], [40, 40, 60, 60]], np.float32)
    faces = Faces(boxes, np.array([0.5, 0.25], np.float32), np.arange(20, dtype=np.float32).reshape(2, 5, 2))
    assert face_values(faces, 100, 100).tolist() == [1600 - 2 * (30**2 + 30**2), 400]
    main = only_main(faces, 100, 100)
    assert (main.boxes.tolist(), main.scores.tolist()) == ([[40, 40, 60, 60]], [0.25])
    assert main.landmarks.tolist() == faces.landmarks[1:].tolist()
    assert len(only_main(Faces.none(), 100, 100)) == 0


def test_who_does_not_count_gets_the_main_face(detector):
    rgb = np.full((240, 320, 3), 90, np.uint8)
    rgb[20:220, 10:210] = draw_face(200)
    rgb[150:230, 230:310] = draw_face(80)
    assert isinstance(detector, MainFaceDetector)
    assert (len(find_faces(detector, rgb)), len(find_faces(detector, rgb, count=False))) == (2, 1)
    counted, found = find_main(detector, rgb, "a.jpg"), find_main(detector, rgb, "a.jpg", count=False)
    assert (counted.faces, found.faces) == (2, None)
    assert counted.points is not None
    assert found.points is not None
    np.testing.assert_allclose(counted.points, found.points, atol=1e-2)
    larger = find_main(detector, rgb, "a.jpg", enlarge=1.5, border=20, count=False)
    np.testing.assert_allclose(larger.points, found.points, atol=4)
    blank = np.zeros_like(rgb)
    assert find_main(detector, blank, "b.jpg", count=False).faces == 0
