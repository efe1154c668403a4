from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.scoring.decision import choose_points, classify, explain
from fairface.scoring.operating_point import OperatingPoint

STRICT = OperatingPoint(0.001, 0.5, 0.0009, 0.0001, 0.002, 0.95, "subjects", 9, 10000, 0.2, 50)
MIDDLE = replace(STRICT, target=0.01, threshold=0.4, fmr=0.01, false_matches=100, fnmr=0.1)
LOOSE = replace(STRICT, target=0.1, threshold=0.2, fmr=0.1, false_matches=1000, fnmr=0.04)
POINTS = (STRICT, MIDDLE, LOOSE)


def test_at_a_threshold_a_pair_matches_and_between_two_nothing_is_decided():
    values = np.array([[0.9, 0.5, np.nextafter(0.5, 0)], [0.2, np.nextafter(0.2, 0), -1.0]])
    found = classify(values, 0.5, 0.2)
    assert found.tolist() == [["same", "same", "undecided"], ["undecided", "not same", "not same"]]
    assert classify(0.3, 0.5, 0.2) == "undecided"
    assert type(classify(0.3, 0.5, 0.2)) is str
    assert classify(0.3, 0.3, 0.3) == "same"
    assert classify(np.linspace(-1, 1, 1001), 0.3, 0.3).tolist().count("undecided") == 0


@pytest.mark.parametrize(("fmr", "chosen"), [
    ((), (STRICT, LOOSE)), ((0.01,), (MIDDLE, MIDDLE)), ((0.1, 0.01), (MIDDLE, LOOSE)),
    ([0.001, 0.01], (STRICT, MIDDLE)),
])  # fmt: skip
def test_the_lowest_fmr_says_same_and_the_highest_not_same(fmr, chosen):
    assert choose_points(POINTS, fmr) == chosen


def test_fmrs_without_a_threshold_are_refused():
    with pytest.raises(ConfigError, match=r"no threshold at FMR 0\.02; choose of 0\.001, 0\.01, 0\.1, or save one"):
        choose_points(POINTS, [0.02])
    with pytest.raises(ConfigError, match="3 FMRs; give one, or two"):
        choose_points(POINTS, [0.001, 0.01, 0.1])


@pytest.mark.parametrize("bad", [np.nan, [0.1, np.inf]])
def test_similarities_that_are_not_finite_are_refused(bad):
    with pytest.raises(DataError, match="1 similarity is not finite"):
        classify(bad, 0.5, 0.2)


def test_each_decision_is_a_sentence():
    same, not_same, undecided = explain(STRICT, LOOSE, "lfw")
    assert same == (
        "same: 0.5000 or more. In lfw, 9 of 10000 impostor comparisons reach 0.5000: FMR 0.0009 "
        "(95% confidence interval over subjects 0.0001 to 0.002)"
    )
    assert not_same.startswith("not same: less than 0.2000. In lfw, 1000 of 10000 impostor comparisons reach 0.2000")
    assert not_same.endswith("; 0.04 of 50 genuine comparisons are below it")
    assert undecided == "undecided: between the two"
    assert explain(MIDDLE, MIDDLE, "lfw")[1] == "not same: less. In lfw, 0.1 of 50 genuine comparisons are below it"


@pytest.mark.parametrize(("bad", "told"), [(77.0, "1 similarity lies"), ([0.1, -1.5, 2], "2 similarities lie")])
def test_what_is_no_cosine_is_refused(bad, told):
    with pytest.raises(DataError, match=f"{told} outside -1 to 1 .*no percentages and no distances"):
        classify(bad, 0.5, 0.2)
    assert classify([np.float32(1) + np.finfo(np.float32).eps, -1.0], 0.5, 0.2).tolist() == ["same", "not same"]
