import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring import dense_pairs
from fairface.scoring.dense_pairs import listed_cosines
from fairface.scoring.similarity import cosine_scores

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((60, 5)) * RNG.uniform(0.1, 9, 60)[:, None]


def by_loop(features, a, b):
    return [float(features[i] @ features[k] / np.linalg.norm(features[i]) / np.linalg.norm(features[k]))
            for i, k in zip(a, b, strict=True)]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), [((0, 60), (0, 60)), ((0, 20), (20, 60)), ((40, 41), (3, 9))])
@pytest.mark.parametrize("rows", [1, 7, 256])
def test_cosines_of_lists_equal_a_loop(left, right, rows, monkeypatch):
    monkeypatch.setattr(dense_pairs, "_ROWS", rows)
    monkeypatch.setattr(dense_pairs, "cosine_scores", None)  # long enough to be multiplied in blocks
    rng = np.random.default_rng(2)
    a, b = rng.integers(*left, 400), rng.integers(*right, 400)
    np.testing.assert_allclose(listed_cosines(FEATURES, a, b), by_loop(FEATURES, a, b), rtol=0, atol=1e-14)
    np.testing.assert_allclose(listed_cosines(FEATURES, b, a), by_loop(FEATURES, a, b), rtol=0, atol=1e-14)


def test_a_short_list_among_many_vectors_is_fetched_pair_by_pair(monkeypatch):
    monkeypatch.setattr(dense_pairs, "_picked", None)
    features = RNG.standard_normal((3000, 4)).astype(np.float32)
    a, b = RNG.integers(0, 3000, 100), RNG.integers(0, 3000, 100)
    np.testing.assert_array_equal(listed_cosines(features, a, b), cosine_scores(features, a, b))


def test_cosines_stay_within_one():
    features = np.full((4, 7), 0.1)
    scores = listed_cosines(features, np.arange(4), np.arange(4))
    assert (scores <= 1).all()
    np.testing.assert_allclose(scores, 1, atol=1e-15)


def test_errors_are_those_of_single_pairs():
    with pytest.raises(DataError, match="there are 60 embeddings"):
        listed_cosines(FEATURES, np.array([0, 60]), np.array([1, 1]))
    with pytest.raises(DataError, match="there are 60 embeddings"):
        listed_cosines(FEATURES, np.array([0, 1]), np.array([-1, 1]))
    with pytest.raises(DataError, match="2 first and 1 second"):
        listed_cosines(FEATURES, np.arange(2), np.arange(1))
    with pytest.raises(DataError, match="not finite"):
        listed_cosines(np.full((2, 2), np.nan), np.array([0]), np.array([1]))
    assert len(listed_cosines(FEATURES, np.zeros(0, int), np.zeros(0, int))) == 0
