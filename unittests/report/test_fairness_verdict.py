"""The sentences of a verdict, against the numbers that they tell."""

import re
from dataclasses import replace

import numpy as np

from fairface.report.fairness_verdict import fairness_verdict
from fairface.scoring import fairness
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from fairface.scoring.fairness.worst import worst_group
from unittests.report.page.pages import report_of, two_attributes
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


def small_group_that_errs(small=6, subjects=80):
    """80 subjects of f and m, of whom the last six are of a third group whose comparisons all go wrong."""
    scores, comparisons = small_world(subjects=subjects)
    third = np.arange(len(comparisons.attributes)) // 3 >= subjects - small
    attributes = np.where(third[:, None], 2, comparisons.attributes).astype(np.int8)
    within = third[comparisons.a] & third[comparisons.b]
    scores = np.where(within, np.where(comparisons.same, 0.0, 0.9), scores)
    return scores, replace(comparisons, attributes=attributes, attribute_values=(("f", "m", "x"),)), within


def test_a_group_that_is_too_small_to_be_judged_is_told_where_its_rate_is_higher():
    scores, comparisons, within = small_group_that_errs()
    options = FairnessOptions(rounds=20, min_subjects=10)
    result = assess(scores, comparisons, ["sex"], given_threshold(0.35), options)
    row = result.groupings["sex"].row("x")
    assert row.too_few
    for sentence, error in zip(fairness_verdict(result)[1:], ("fmr", "fnmr"), strict=True):
        pairs = within & (comparisons.same if error == "fnmr" else ~comparisons.same)
        assert "the worst" in sentence
        told = f"higher, but not judged, as too few subjects were compared: x with 1 [{getattr(row, error).low:.4g}, 1]"
        assert f"; {told} ({pairs.sum()} of {pairs.sum()} comparisons of 6 subjects)." in sentence
        worst = worst_group(result.groupings["sex"], error)
        assert worst.group in ("f", "m")
        assert worst.to_dict()["unjudged"] == ["x"]
        assert told in worst.message
    judged = assess(scores, comparisons, ["sex"], given_threshold(0.35), replace(options, min_subjects=5))
    assert "not judged" not in " ".join(fairness_verdict(judged))


def test_no_error_in_large_groups_does_not_hide_those_of_a_small_one():
    scores, comparisons, within = small_group_that_errs()
    scores = np.where(within, scores, np.where(comparisons.same, 0.9, 0.0))
    options = FairnessOptions(rounds=0, min_subjects=10)
    result = assess(scores, comparisons, ["sex"], given_threshold(0.35), options)
    for error in ("fnmr", "fmr"):
        message = worst_group(result.groupings["sex"], error).message
        assert message.startswith(f"no worst {error.upper()}: no group of enough subjects has an error (f: 0 of ")
        assert "too few subjects were compared: x with 1 [" in message


def test_each_attribute_is_told_by_itself_and_all_together():
    result = report_of(*two_attributes(), ("sex", "skin")).result
    sentences = fairness_verdict(result)[1:]
    heads = ["sex", "sex", "skin", "skin", "sex+skin", "sex+skin"]
    assert [re.match(r"By ([^:]+): ", sentence)[1] for sentence in sentences] == heads
    for name, sentence in zip(heads[1::2], sentences[1::2], strict=True):
        rows = result.groupings[name].rows
        worst = max(rows, key=lambda row: row.fnmr.errors / row.fnmr.comparisons)
        assert f"the worst FNMR is that of {worst.group}, " in sentence


def test_of_many_small_groups_a_sentence_names_a_few():
    values = tuple(f"{age:02}" for age in range(20))
    scores, comparisons = small_world(subjects=40, values=values)
    grouping = assess(scores, comparisons, ["sex"], given_threshold(0.35), FairnessOptions(rounds=0)).groupings["sex"]
    message = worst_group(grouping, "fnmr").message
    counts = "00: 2, 01: 2, 02: 2, 03: 2, 04: 2, 05: 2, … 14 more"
    assert message == f"no worst FNMR: 0 of 20 groups have 30 subjects or more ({counts})"


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
