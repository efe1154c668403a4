"""The three sentences, against the numbers that they tell."""

import re

from fairface.report.fairness_verdict import fairness_verdict
from unittests.report.page.pages import report_of
from unittests.scoring.fairness.helpers import small_world


def test_it_names_the_worst_group_its_gap_and_that_the_data_show_it():
    scores, comparisons = small_world(subjects=80, worse=0.25)
    result = report_of(scores, comparisons, rounds=50).result
    accuracy, of_fmr, of_fnmr = fairness_verdict(result)
    rates = {row.group: row.fnmr.value for row in result.groupings["sex"].rows}
    assert f"{result.fmr.value:.4g} [" in accuracy
    assert f"{result.fnmr.value:.4g} [" in accuracy
    assert rates["f"] > rates["m"]
    gap = float(re.search(r"a gap of ([\d.]+)", of_fnmr)[1])
    assert abs(gap - (rates["f"] - rates["m"])) < 1e-4
    assert of_fnmr.startswith(f"By sex: the worst FNMR is that of f, {rates['f']:.4g}")
    assert "enough data to tell the groups apart" in of_fnmr
    assert "not enough" not in of_fnmr
    assert of_fmr.startswith("By sex: ")
    assert "FMR" in of_fmr
    assert "FNMR" not in of_fmr


def test_it_says_that_few_people_show_nothing():
    scores, comparisons = small_world(subjects=14)
    groups = " ".join(fairness_verdict(report_of(scores, comparisons, rounds=50).result)[1:])
    assert groups.count("not enough data to tell this from no gap") + groups.count("no worst") == 2
