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


@pytest.mark.parametrize("length", [1e-320, 1e-180, 1e-120, 1e-90, 1.0, 1e90, 1e120, 1e180, 1e300])
def test_rows_of_any_length_point_in_the_same_direction(length):
    rows = np.ones((700, 2)) * [3.0, 4.0]
    rows[[5, 300, 699]] *= length
    found = unit_rows(rows)
    np.testing.assert_allclose(found, np.ones((700, 2)) * [0.6, 0.8], rtol=1e-3 if length < 1e-300 else 1e-14)


def test_bad_rows_are_counted_over_all_blocks():
    rows = np.ones((700, 3))
    rows[[3, 255, 256, 600, 601, 699], 1] = np.inf
    with pytest.raises(DataError, match=r"6 of 700 embeddings are not finite \(index 3, 255, 256, 600, 601, …\)"):
        unit_rows(rows)


def test_few_and_many_pairs_get_the_same_bits():
    rng = np.random.default_rng(1)
    embeddings = rng.standard_normal((400, 24)).astype(np.float32)
    a, b = rng.integers(0, 400, (2, 900))
    many = cosine_scores(embeddings, a, b)
    np.testing.assert_array_equal(cosine_scores(embeddings, a[:300], b[:300]), many[:300])
    np.testing.assert_array_equal(cosine_scores(embeddings, a[300:700], b[300:700], chunk=7), many[300:700])


@pytest.mark.parametrize("pairs", [1, 300, 5000])
@pytest.mark.parametrize("bad", [0, 1, 299])
def test_a_bad_row_is_named_by_its_place_whether_a_pair_names_it_or_not(pairs, bad):
    embeddings = np.ones((300, 3))
    embeddings[bad] = np.nan
    a = np.zeros(pairs, np.int64)
    with pytest.raises(DataError, match=rf"1 of 300 embeddings is not finite \(index {bad}\)"):
        cosine_scores(embeddings, a, a + 1)


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
