from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.optimize import least_squares

from fairface.errors import ConfigError, DataError
from fairface.faces.align import TEMPLATE_112, align, similarity, template

VECTORS = Path(__file__).parents[1] / "vectors" / "align_similarity.npz"


@pytest.fixture(scope="module")
def vectors():
    with np.load(VECTORS) as file:
        return dict(file)


def test_template_is_the_field_s(vectors):
    np.testing.assert_array_equal(TEMPLATE_112, vectors["reference_112"])


def test_template_cannot_be_changed_by_a_caller():
    with pytest.raises(ValueError, match="read-only"):
        TEMPLATE_112[0] = 0


@pytest.mark.parametrize("size", [112, 224, 128])
def test_matrices_equal_insightface(vectors, size):
    expected = vectors[f"if_M_{size}"]
    made = np.stack([similarity(points, size) for points in vectors["points"]])
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_matrix_is_the_least_squares_optimum():
    points = np.random.default_rng(3).uniform(20, 200, (5, 2))

    def residual(parameters):
        a, b, x, y = parameters
        return (points @ np.array([[a, b], [-b, a]]) + (x, y) - template(112)).ravel()

    a, b, x, y = least_squares(residual, [1, 0, 0, 0], xtol=1e-12, ftol=1e-12).x
    np.testing.assert_allclose(similarity(points), [[a, -b, x], [b, a, y]], atol=1e-5)


def test_mirrored_faces_stay_mirrored(vectors):
    for points in vectors["points"]:
        assert np.linalg.det(similarity(points)[:, :2]) > 0


def test_other_sizes_scale_the_crop():
    np.testing.assert_allclose(template(96), TEMPLATE_112.astype(float) * 96 / 112, rtol=1e-6)
    np.testing.assert_allclose(template(256), (TEMPLATE_112 + np.array([8.0, 0.0])) * 2)


@pytest.mark.parametrize(("points", "crop"), [("lm", "if_crop"), ("lm_border", "if_crop_border")])
def test_crops_equal_insightface(vectors, points, crop):
    made = align(vectors["image"], vectors[points])
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - vectors[crop]).max() <= 1


def test_landmarks_land_on_the_template():
    image = np.zeros((300, 300, 3), np.uint8)
    turn = cv2.getRotationMatrix2D((56, 56), 30, 1.4) + np.array([[0, 0, 90], [0, 0, 90]])
    points = TEMPLATE_112 @ turn[:, :2].T + turn[:, 2]
    for x, y in points:
        cv2.circle(image, (round(x), round(y)), 3, (255, 255, 255), -1)
    crop = align(image, points)
    for x, y in TEMPLATE_112:
        assert crop[round(y), round(x)].min() > 200


def test_outside_the_image_is_black_or_its_edge():
    white = np.full((60, 60, 3), 255, np.uint8)
    points = TEMPLATE_112 - 40
    assert align(white, points).min() == 0
    assert align(white, points, fill="edge").min() == 255
    with pytest.raises(ConfigError, match="black, edge"):
        align(white, points, fill="grey")


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.ones((4, 2)), np.ones((68, 2))])
def test_points_that_cannot_be_aligned(points):
    with pytest.raises(DataError, match="landmarks"):
        similarity(points)
