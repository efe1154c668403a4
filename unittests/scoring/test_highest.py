"""fairface.scoring.highest against a sort of everything."""

import numpy as np
import pytest

from fairface.scoring.highest import Highest


@pytest.mark.parametrize(("levels", "count"), [(10**9, 25), (4, 25), (10**9, 1), (7, 1000)])
def test_the_highest_of_all_blocks(levels, count):
    rng = np.random.default_rng(0)
    blocks = [rng.integers(0, levels, (rng.integers(1, 9), 13)).astype(np.float64) for _ in range(12)]
    tail = Highest(count)
    for block in blocks:
        tail.add(block)
    everything = np.sort(np.concatenate([block.ravel() for block in blocks]))[::-1]
    np.testing.assert_array_equal(tail.falling(), everything[:count])


def test_none_is_kept_where_none_is_wanted():
    tail = Highest(0)
    tail.add(np.ones((2, 3)))
    assert len(tail.falling()) == 0
