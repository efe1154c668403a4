import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.similarity import cosine_scores, unit_rows


def test_scores_equal_a_float64_loop():
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((40, 24)).astype(np.float32)
    a, b = rng.integers(0, 40, (2, 700))
    scores = cosine_scores(embeddings, a, b, chunk=64)
    rows = embeddings.astype(np.float64)
    lengths = [np.sqrt(row @ row) for row in rows]
    expected = [rows[i] @ rows[j] / (lengths[i] * lengths[j]) for i, j in zip(a, b, strict=True)]
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-14)
    assert np.abs(scores).max() <= 1.0


def test_lengths_do_not_matter_even_extreme_ones():
    direction = np.array([[3.0, 4.0], [4.0, 3.0]], np.float32)
    scaled = direction * np.array([[1e-38], [1e37]], np.float32)
    scores = cosine_scores(scaled, np.array([0]), np.array([1]))
    assert scores[0] == pytest.approx(24 / 25, abs=1e-6)


def test_no_comparison_gives_no_score():
    none = np.zeros(0, np.int64)
    assert cosine_scores(np.ones((3, 2), np.float32), none, none).shape == (0,)


def test_a_zero_embedding_is_named():
    embeddings = np.ones((9, 4), np.float32)
    embeddings[[2, 7]] = 0
    with pytest.raises(DataError, match=r"2 of 9 embeddings are of length zero \(index 2, 7\)"):
        unit_rows(embeddings)


def test_an_embedding_that_is_not_finite_is_named():
    embeddings = np.ones((3, 4), np.float32)
    embeddings[1, 2] = np.nan
    with pytest.raises(DataError, match=r"not finite \(index 1\)"):
        unit_rows(embeddings)


@pytest.mark.parametrize("position", [-1, 3])
def test_a_position_outside_the_embeddings_is_an_error(position):
    with pytest.raises(DataError, match="there are 3 embeddings"):
        cosine_scores(np.ones((3, 2), np.float32), np.array([0, position]), np.array([1, 1]))


def test_sides_of_different_length_and_wrong_shape_are_errors():
    with pytest.raises(DataError, match="2 first and 1 second"):
        cosine_scores(np.ones((3, 2), np.float32), np.array([0, 1]), np.array([1]))
    with pytest.raises(DataError, match="shape"):
        unit_rows(np.ones(3, np.float32))
