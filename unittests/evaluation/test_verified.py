"""Verification with and without the images on which no face was found, against counts by hand."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.evaluation.acquisition import ScoredPairs, failure_to_acquire, without_failures
from fairface.evaluation.verified import VerifyOptions, verify_pairs
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.verification import verify

NAMES = tuple(f"p{subject}/{image}" for subject in range(4) for image in range(3))
FAILED = np.isin(NAMES, ["p0/1", "p3/2"])
OPTIONS = VerifyOptions(folds=2, fmr=(0.1,))


@pytest.fixture
def pairs():
    comparisons = all_pairs(np.repeat(np.arange(4), 3), names=NAMES)
    scores = np.random.default_rng(0).normal(comparisons.same * 0.5, 0.1)
    return ScoredPairs(comparisons, (scores,), FAILED)


def touched(pairs):
    return np.array([FAILED[a] or FAILED[b] for a, b in zip(pairs.comparisons.a, pairs.comparisons.b, strict=True)])


def test_rates_with_and_without_failures(pairs):
    found = verify_pairs(pairs, OPTIONS, "list")
    assert found.failures == failure_to_acquire(pairs)
    assert (found.failures.failed, found.failures.images) == (("p0/1", "p3/2"), 12)
    assert (found.failures.comparisons, found.failures.total) == (touched(pairs).sum(), 66)
    kept = without_failures(pairs)
    assert kept.failed is None
    np.testing.assert_array_equal(kept.scores[0], pairs.scores[0][~touched(pairs)])
    assert found.result == verify(pairs.scores[0], pairs.comparisons, 2, (0.1,))
    assert found.without_failures == verify(kept.scores[0], kept.comparisons, 2, (0.1,))
    assert list(found.rows("x")) == ["x", "x, without failures"]
    alone = verify_pairs(pairs, VerifyOptions(2, (0.1,), leave_out_failures=True), "list")
    assert (alone.result, alone.without_failures) == (found.without_failures, None)
    assert alone.notes[-1].endswith("comparisons; these are left out")


@pytest.mark.parametrize(("unscored", "counted"), [("no_match", 66), ("leave_out", 45)])
def test_scores_that_are_missing(pairs, unscored, counted):
    scores = np.where(touched(pairs), np.nan, pairs.scores[0])
    lacking = ScoredPairs(pairs.comparisons, (scores,), FAILED)
    with pytest.raises(DataError, match=r"list: 21 of 66 comparisons have no score.* use --unscored"):
        verify_pairs(lacking, OPTIONS, "list")
    found = verify_pairs(lacking, VerifyOptions(2, (0.1,), unscored=unscored), "list")
    assert found.result.n_genuine + found.result.n_impostor == counted
    assert found.without_failures.n_genuine + found.without_failures.n_impostor == 45
    assert "21 comparisons without a usable score" in found.notes[0]
    if unscored == "no_match":
        lowest = np.where(touched(pairs), -1.0, pairs.scores[0])
        assert found.result == verify(lowest, pairs.comparisons, 2, (0.1,))


def test_what_is_left_may_be_too_little(pairs):
    all_of_them = ScoredPairs(pairs.comparisons, pairs.scores, np.ones(12, bool))
    found = verify_pairs(all_of_them, OPTIONS, "list")
    assert found.without_failures is None
    assert found.to_dict()["without_failures"] is None
    assert any(note.startswith("without failures, the pairs cannot be scored") for note in found.notes)
