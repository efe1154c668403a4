"""What the whole of scoring refuses, and rounding at the bounds of a false match rate."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.bootstrap import bootstrap_intervals


@pytest.mark.parametrize("target", [0.29, 0.28, 0.07])
def test_a_whole_number_of_false_matches_is_reached_in_every_round(target):
    """0.29 * 100 is a little below 29 in floating point. Two people: each round that counts draws both once."""
    comparisons = all_pairs([0] * 10 + [1] * 10)
    impostor = ~comparisons.same
    assert impostor.sum() == 100
    scores = np.zeros(len(comparisons))
    scores[impostor] = np.arange(100)
    scores[~impostor] = np.linspace(60, 99, 90)
    allowed = round(target * 100)
    threshold = np.sort(scores[impostor])[-allowed - 1]  # the first false match too many
    expected = (scores[~impostor] > threshold).mean()
    _, (interval,) = bootstrap_intervals(scores, comparisons, (target,), 30)
    assert interval.low == interval.high == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_intervals_of_unusable_scores_are_refused(bad):
    comparisons = all_pairs([0, 0, 1, 1])
    scores = np.arange(6.0)
    scores[2] = bad
    with pytest.raises(DataError, match=r"1 of 6 scores are not finite \(first: comparison 2\)"):
        bootstrap_intervals(scores, comparisons, (0.5,), 5)
