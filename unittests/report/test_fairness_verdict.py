"""The three sentences, against the numbers that they tell."""

import re

import numpy as np

from fairface.report.fairness_verdict import fairness_verdict
from fairface.scoring import fairness
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
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


def test_what_would_show_a_gap_is_said_with_its_chance_and_against_whom():
    scores, comparisons = small_world(subjects=60, worse=0.05, seed=1)
    result = assess(scores, comparisons, ["sex"], given_threshold(0.35), FairnessOptions(rounds=0, power=0.9))
    (of_fnmr,) = (sentence for sentence in fairness_verdict(result) if "the worst FNMR" in sentence)
    assert "not enough data to tell this from no gap (" in of_fnmr
    assert of_fnmr.endswith(
        " would tell it from all others together, if the difference is as large as it looks, with a chance of 90%)."
    )


def test_of_three_groups_a_sure_gap_does_not_tell_which_differ():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(120), 10)
    subjects = np.concatenate([np.stack([people, people], 1), np.stack([people, (people + 1) % 120], 1)])
    same = subjects[:, 0] == subjects[:, 1]
    scores = np.where(same & (rng.random(len(same)) < 0.3 * (subjects[:, 0] < 40)), 0.1, np.where(same, 0.9, 0.2))
    groups = {"age": np.array(["old", "young", "child"])[subjects // 40]}
    sentences = fairness_verdict(fairness.evaluate(scores, same, groups, subjects, threshold=0.5))
    assert sentences[-1].endswith(": enough data to tell some of the groups apart.")
