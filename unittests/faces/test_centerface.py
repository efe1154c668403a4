"""CenterFace's decoder against a loop over cells, and the detector with made-up maps."""

import math

import numpy as np
import pytest

from fairface.errors import ConfigError, DeviceError
from fairface.faces import onnx_net
from fairface.faces.centerface import CenterFaceConfig, CenterFaceDetector, decode
from fairface.faces.detect import LimitedDetector


def made_up(height, width, seed=0):
    generator = np.random.default_rng(seed)
    score = generator.uniform(0, 1, (1, 1, height, width))
    sides = generator.uniform(0, 2, (1, 2, height, width))
    moves = generator.uniform(-0.5, 0.5, (1, 2, height, width))
    points = generator.uniform(-0.1, 1.1, (1, 10, height, width))
    return [part.astype(np.float32) for part in (score, sides, moves, points)]


def by_loop(maps, threshold):
    score, sides, moves, points = (part[0].astype(float) for part in maps)
    faces = []
    for i in range(score.shape[1]):
        for j in range(score.shape[2]):
            if score[0, i, j] >= threshold:
                high, wide = 4 * math.exp(sides[0, i, j]), 4 * math.exp(sides[1, i, j])
                top = 4 * (i + 0.5 + moves[0, i, j]) - high / 2
                left = 4 * (j + 0.5 + moves[1, i, j]) - wide / 2
                marks = [(left + points[2 * k + 1, i, j] * wide - 0.5, top + points[2 * k, i, j] * high - 0.5)
                         for k in range(5)]  # fmt: skip
                faces.append((score[0, i, j], (left, top, left + wide, top + high), marks))
    return faces


def test_decoded_maps_equal_the_loop():
    maps = made_up(7, 11)
    expected = by_loop(maps, 0.8)
    found = decode(maps, 0.8)
    assert 3 < len(expected) < 40
    np.testing.assert_allclose(found.scores, [row[0] for row in expected], rtol=1e-6)
    np.testing.assert_allclose(found.boxes, [row[1] for row in expected], atol=1e-4)
    np.testing.assert_allclose(found.landmarks, [row[2] for row in expected], atol=1e-4)


def one_face(pixels, row, column, score=0.9):
    """The maps of a net that sees one face of 40 x 32 pixels whose points all lie in its middle."""
    size = pixels.shape[2] // 4, pixels.shape[3] // 4
    maps = [np.zeros((1, count, *size), np.float32) for count in (1, 2, 2, 10)]
    maps[0][0, 0, row, column] = score
    maps[1][0, :, row, column] = np.log([10, 8])
    maps[3][0, :, row, column] = 0.5
    return maps


def test_the_net_sees_rgb_in_multiples_of_32_and_faces_are_those_of_the_photograph():
    seen = []

    def forward(pixels):
        seen.append(pixels)
        return one_face(pixels, 5, 7)

    rgb = np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)
    faces = CenterFaceDetector(forward=forward).detect(rgb)
    assert seen[0].shape == (1, 3, 64, 96)
    assert np.array_equal(seen[0][0, :, :50, :70], rgb.transpose(2, 0, 1))
    assert not seen[0][0, :, 50:].any()
    assert not seen[0][0, :, :, 70:].any()
    # The cell's centre lies at (30, 22) from the corner, at the centre of no pixel: (29.5, 21.5) counted from pixel 0.
    np.testing.assert_allclose(faces.boxes, [[14, 2, 46, 42]], atol=1e-4)
    np.testing.assert_allclose(faces.landmarks[0], [[29.5, 21.5]] * 5, atol=1e-4)


def test_large_photographs_are_shrunk_and_faces_put_back():
    sizes = []

    def forward(pixels):
        sizes.append(pixels.shape[2:])
        return one_face(pixels, 5, 7)

    detector = CenterFaceDetector(CenterFaceConfig(longest=320), forward)
    rgb = np.zeros((480, 640, 3), np.uint8)
    np.testing.assert_allclose(detector.detect(rgb).boxes, [[28, 4, 92, 84]], atol=1e-3)
    assert isinstance(detector, LimitedDetector)
    np.testing.assert_allclose(detector.without_limit().detect(rgb).boxes, [[14, 2, 46, 42]], atol=1e-3)
    assert sizes == [(256, 320), (480, 640)]


def test_of_faces_that_overlap_the_best_stays_and_the_best_comes_first():
    def forward(pixels):
        maps = one_face(pixels, 5, 7, 0.6)
        for row, column, score in ((5, 8, 0.9), (25, 25, 0.95), (40, 3, 0.4)):
            for part, more in zip(maps, one_face(pixels, row, column, score), strict=True):
                part += more
        return maps

    faces = CenterFaceDetector(forward=forward).detect(np.zeros((200, 200, 3), np.uint8))
    np.testing.assert_allclose(faces.scores, [0.95, 0.9])
    assert len(CenterFaceDetector(CenterFaceConfig(0.4), forward).detect(np.zeros((200, 200, 3), np.uint8))) == 3


def test_other_maps_and_other_images_are_refused():
    with pytest.raises(ValueError, match=r"the net must give .*not"):
        CenterFaceDetector(forward=lambda pixels: one_face(pixels, 1, 1)[:3]).detect(np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        CenterFaceDetector(forward=lambda pixels: one_face(pixels, 1, 1)).detect(np.zeros((40, 40), np.uint8))


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"threshold": 1.0}, {"overlap": 0.0}, {"longest": 31}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        CenterFaceConfig(**wrong)


def test_a_file_that_is_no_net_is_told(monkeypatch):
    monkeypatch.setattr("fairface.faces.centerface.centerface_net", lambda: b"no net")
    with pytest.raises(DeviceError, match="no readable net"):
        CenterFaceDetector()
    monkeypatch.setattr(onnx_net.cv2, "__version__", "5.0.0")
    with pytest.raises(DeviceError, match=r"opencv-python-headless<5"):
        CenterFaceDetector()
