"""The verdict on a difference."""

import pytest

from fairface.evaluation.compared_runs import verdict
from fairface.evaluation.side_by_side import Row
from fairface.scoring.measure import Interval


@pytest.mark.parametrize(
    ("key", "low", "high", "told"),
    [
        ("auc", 0.1, 0.2, "better"), ("auc", -0.2, -0.1, "worse"), ("auc", -0.1, 0.1, "not distinguishable"),
        ("auc", 0.0, 0.1, "not distinguishable"), ("eer", 0.1, 0.2, "worse"), ("eer", -0.2, -0.1, "better"),
        ("tar@0.01", 0.1, 0.2, "better"), ("auc", 0.1, 0.1, "not distinguishable"),
    ],
)  # fmt: skip
def test_a_difference_counts_when_its_interval_leaves_out_zero(key, low, high, told):
    assert verdict(Row(key, 0.5, 0.6, Interval(low, high, 0.95, 100))) == told
    assert verdict(Row(key, 0.5, 0.6, Interval(low, high, 0.95, 100), "few")) == "not judged: few"
    assert verdict(Row(key, 0.5, 0.6)) == "not distinguishable"
    assert verdict(Row(key, 0.5, float("nan"))) == "n/a"
