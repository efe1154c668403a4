"""Histograms of scores by group, against numpy's."""

import numpy as np

from fairface.scoring.score_histogram import score_histogram


def test_counts_are_numpys_and_lose_nothing():
    rng = np.random.default_rng(1)
    scores, same, group = rng.normal(size=500), rng.random(500) < 0.3, rng.integers(-1, 3, 500)
    scores[:5] = np.nan
    found = score_histogram(scores, same, group, ("a", "b", "c"), bins=13)
    usable = np.isfinite(scores)
    assert found.edges[[0, -1]].tolist() == [scores[usable].min(), scores[usable].max()]
    for code in range(3):
        for counts, kind in ((found.mated, same), (found.non_mated, ~same)):
            expected = np.histogram(scores[usable & kind & (group == code)], found.edges)[0]
            assert counts[code].tolist() == expected.tolist()
    assert found.mated.sum() + found.non_mated.sum() == (usable & (group >= 0)).sum()


def test_one_value_and_nothing_at_all():
    one = score_histogram(np.array([0.5, 0.5]), np.array([True, False]), np.array([0, 0]), ("a",), bins=4)
    assert one.mated.tolist() == one.non_mated.tolist() == [[1, 0, 0, 0]]
    none = score_histogram(np.array([np.nan]), np.array([True]), np.array([0]), ("a",), bins=4)
    assert none.mated.sum() == none.non_mated.sum() == 0
