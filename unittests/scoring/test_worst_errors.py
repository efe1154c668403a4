"""Which comparisons go wrong by the most."""

import numpy as np

from fairface.scoring.worst_errors import worst_errors
from unittests.scoring.fairness.helpers import small_world


def test_the_worst_errors_are_those_of_a_sort():
    scores, comparisons = small_world(subjects=20)
    scores[5] = np.nan
    wrong = [
        (score if same else -score, place)
        for place, (score, same) in enumerate(zip(scores, comparisons.same, strict=True))
        if np.isfinite(score) and (score >= 0.3) != same
    ]  # fmt: skip
    for found, kind in zip(worst_errors(scores, comparisons.same, 0.3, 4), (False, True), strict=True):
        assert found.tolist() == [place for _, place in sorted(w for w in wrong if comparisons.same[w[1]] == kind)][:4]
