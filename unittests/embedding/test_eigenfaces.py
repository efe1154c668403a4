import cv2
import numpy as np
import pytest

from fairface.embedding.eigenfaces import Eigenfaces
from fairface.errors import DataError


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (40, 12, 10, 3), np.uint8)


@pytest.mark.parametrize("whiten", [True, False])
def test_embeddings_equal_a_singular_value_decomposition(images, whiten):
    grey = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]).reshape(40, -1).astype(np.float64)
    mean = grey.mean(axis=0)
    _, lengths, axes = np.linalg.svd(grey - mean, full_matrices=False)
    expected = (grey - mean) @ axes[:8].T
    if whiten:
        expected /= lengths[:8] / np.sqrt(39)
    embeddings = Eigenfaces(8, whiten).fit(images).embed(images)
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (40, 8)
    # The sign of a component is arbitrary.
    scale = np.abs(expected).max()
    np.testing.assert_allclose(np.abs(embeddings) / scale, np.abs(expected) / scale, rtol=0, atol=1e-4)


def test_grey_images_are_taken_as_they_are(images):
    grey = images[..., 0]
    embeddings = Eigenfaces(5).fit(grey).embed(grey)
    assert embeddings.shape == (40, 5)
    np.testing.assert_array_equal(embeddings, Eigenfaces(5).fit(grey).embed(grey))


def test_bad_images_are_errors(images):
    with pytest.raises(DataError, match="60 eigenfaces cannot be learnt from 40 images of 120 pixels"):
        Eigenfaces().fit(images)
    with pytest.raises(DataError, match="not fitted"):
        Eigenfaces(5).embed(images)
    with pytest.raises(DataError, match="pixels, but the eigenfaces were learnt from"):
        Eigenfaces(5).fit(images).embed(images[:, :8])
    for wrong in (images.astype(np.float32), images[0, 0], images[..., :2], images[:0]):
        with pytest.raises(DataError, match="must be uint8"):
            Eigenfaces(1).fit(wrong)
