import numpy as np
import pytest

from fairface import wheels
from fairface.errors import ConfigError, DeviceError, MissingPackageError
from fairface.faces import mtcnn, onnx_net
from fairface.faces.choose import main_face
from fairface.faces.detect import FaceDetector, Faces
from fairface.faces.find import find_faces, find_main


def faces_at(*boxes):
    count = len(boxes)
    return Faces(np.array(boxes, np.float32), np.ones(count, np.float32), np.zeros((count, 5, 2), np.float32))


def test_main_face_by_hand():
    # 100 x 100 image. Areas 1600 and 400; squared distances to (50, 50): 30^2 + 30^2 = 1800 and 0.
    # Scores 1600 - 3600 = -2000 and 400 - 0.
    assert main_face(faces_at([0, 0, 40, 40], [40, 40, 60, 60]), 100, 100) == 1
    # Moved to (10, 10): squared distance 800 -> 1600 - 2 * 800 = 0 < 400, at (20, 20): 1600 - 400 > 400.
    assert main_face(faces_at([10, 10, 50, 50], [40, 40, 60, 60]), 100, 100) == 1
    assert main_face(faces_at([20, 20, 60, 60], [40, 40, 60, 60]), 100, 100) == 0
    assert main_face(faces_at([40, 40, 60, 60], [40, 40, 60, 60]), 100, 100) == 0
    assert main_face(Faces.none(), 100, 100) is None


def test_faces_refuse_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="shapes"):
        Faces(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros((2, 5, 2), np.float32))


class MarkFinder:
    """Finds the brightest pixel and calls it a face."""

    def detect(self, rgb):
        y, x = np.unravel_index(rgb[:, :, 0].argmax(), rgb.shape[:2])
        box = np.array([[x - 4, y - 4, x + 5, y + 5]], np.float32)
        return Faces(box, np.array([0.5], np.float32), np.full((1, 5, 2), (x, y), np.float32))


def test_enlarging_gives_places_in_the_photograph():
    image = np.zeros((40, 50, 3), np.uint8)
    image[30, 7] = 255
    detector: FaceDetector = MarkFinder()
    plain, wide = find_faces(detector, image), find_faces(detector, image, enlarge=3, border=11)
    assert plain.landmarks[0, 0].tolist() == [7, 30]
    np.testing.assert_allclose(wide.landmarks[0], plain.landmarks[0], atol=1e-4)
    np.testing.assert_allclose(wide.boxes[0], [6, 29, 9, 32], atol=1e-4)
    row = find_main(detector, image, "a.jpg", enlarge=3, border=11)
    assert (row.image, row.faces, row.score) == ("a.jpg", 1, 0.5)


@pytest.fixture(scope="module")
def detector():
    return mtcnn.MtcnnDetector()


@pytest.mark.parametrize("shape", [(200, 160, 3), (11, 90, 3), (1, 1, 3)])
def test_no_face_in_noise(detector, shape):
    noise = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    faces = detector.detect(noise)
    assert (faces.boxes.shape, faces.scores.shape, faces.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))
    assert find_main(detector, noise, "noise.png").points is None


def test_results_are_well_formed_when_everything_passes():
    eager = mtcnn.MtcnnDetector(mtcnn.MtcnnConfig(thresholds=(0.3, 0.0, 0.0)))
    faces = eager.detect(np.random.default_rng(0).integers(0, 255, (80, 60, 3), np.uint8))
    assert len(faces) > 0
    assert np.isfinite(faces.landmarks).all()
    assert (np.diff(faces.scores) <= 0).all()


def test_images_of_another_kind_are_refused(detector):
    with pytest.raises(ValueError, match="uint8"):
        detector.detect(np.zeros((10, 10), np.uint8))


def test_opencv_5_is_refused():
    onnx_net.check_opencv("4.11.0")
    with pytest.raises(DeviceError, match=r"opencv-python-headless<5"):
        onnx_net.check_opencv("5.0.0-pre")


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"nets is missing; (pip install|source) "):
        mtcnn.MtcnnDetector()


@pytest.mark.parametrize("wrong", [{"min_face": 5}, {"factor": 1.0}, {"thresholds": (0.6, 0.7)}, {"min_face": np.nan}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ConfigError):
        mtcnn.MtcnnConfig(**wrong)
