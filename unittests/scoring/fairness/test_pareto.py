"""Which of several models no other one beats."""

import math

import numpy as np

from fairface.scoring.fairness.pareto import pareto_front


def test_the_front_is_what_a_loop_over_all_pairs_finds():
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 6, (2, 40)).astype(float)
    first[3], second[7] = math.nan, math.nan
    expected = []
    for i in range(40):
        beaten = math.isnan(first[i]) or math.isnan(second[i])
        for j in range(40):
            as_good = first[j] >= first[i] and second[j] >= second[i]
            beaten = beaten or (as_good and (first[j] > first[i] or second[j] > second[i]))
        expected.append(not beaten)
    assert pareto_front(first, second).tolist() == expected
