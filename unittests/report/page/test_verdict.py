"""The sentences at the top, against the numbers that they tell."""

import re

import numpy as np

from fairface.report.page.verdict import fairness_verdict, verification_verdict
from fairface.scoring.verification import verify
from unittests.report.page.pages import report_of
from unittests.scoring.fairness.helpers import small_world


def test_it_names_the_worst_group_its_gap_and_that_the_data_show_it():
    scores, comparisons = small_world(subjects=80, worse=0.25)
    result = report_of(scores, comparisons, rounds=50).result
    accuracy, groups = fairness_verdict(result)
    rates = {row.group: row.fnmr.value for row in result.groupings["sex"].rows}
    assert f"{result.fmr.value:.4g} [" in accuracy
    assert f"{result.fnmr.value:.4g} [" in accuracy
    assert rates["f"] > rates["m"]
    of_fnmr = groups[groups.index("the worst FNMR") :]
    gap = float(re.search(r"a gap of ([\d.]+)", of_fnmr)[1])
    assert abs(gap - (rates["f"] - rates["m"])) < 1e-4
    assert of_fnmr.startswith(f"the worst FNMR is that of f, {rates['f']:.4g}")
    assert "enough data to tell the groups apart" in of_fnmr
    assert "not enough" not in of_fnmr


def test_it_says_that_few_people_show_nothing():
    scores, comparisons = small_world(subjects=14)
    _, groups = fairness_verdict(report_of(scores, comparisons, rounds=50).result)
    assert groups.count("not enough data to tell this from no gap") + groups.count("no worst") == 2


def test_verification_tells_what_is_defined_and_what_the_comparisons_can_show():
    scores, comparisons = small_world(subjects=20)
    result = verify(scores, comparisons, fmr=(0.1, 0.01, 0.0001), rounds=0)
    first, second = verification_verdict("orl", result)
    assert np.isnan(result.tar["0.0001"])
    assert f"TAR {result.tar['0.01']:.4g} at FMR 0.01" in first
    assert f"AUC {result.auc:.4g}" in first
    assert f"{comparisons.impostor:,} non-mated comparisons of 20 subjects" in second
    assert "no intervals" in second
