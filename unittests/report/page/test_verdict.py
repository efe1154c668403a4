"""The sentences at the top, against the numbers that they tell."""

import numpy as np

from fairface.report.page.verdict import verification_verdict
from fairface.scoring.verification import verify
from unittests.scoring.fairness.helpers import small_world


def test_verification_tells_what_is_defined_and_what_the_comparisons_can_show():
    scores, comparisons = small_world(subjects=20)
    result = verify(scores, comparisons, fmr=(0.1, 0.01, 0.0001), rounds=0)
    first, second = verification_verdict("orl", result)
    assert np.isnan(result.tar["0.0001"])
    assert f"TAR {result.tar['0.01']:.4g} at FMR 0.01" in first
    assert f"AUC {result.auc:.4g}" in first
    assert f"{comparisons.impostor:,} non-mated comparisons of 20 subjects" in second
    assert "no intervals" in second
