"""What runs are called, where their scores are, and the verdict."""

import pytest

from fairface.errors import ConfigError
from fairface.evaluation.compared_runs import names_of, pairs_of_runs, scores_of_run, verdict
from fairface.evaluation.side_by_side import Row
from fairface.scoring.measure import Interval


def test_names_are_short_and_always_distinct(tmp_path):
    (tmp_path / "x.csv").touch()
    assert names_of(["results/a", str(tmp_path / "x.csv")]) == ["a", "x"]
    assert names_of(["one/a", "two/a"]) == ["one/a", "two/a"]
    assert len(set(names_of(["one/a", "two/a", "one/a", "one/a"]))) == 4


def test_scores_and_truth_are_found_in_folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "predictions.csv").touch()
    (tmp_path / "b" / "truth.csv").touch()
    (tmp_path / "e.npz").touch()
    assert scores_of_run(str(tmp_path / "a")).scores == str(tmp_path / "a" / "predictions.csv")
    assert scores_of_run(str(tmp_path / "e.npz")).embeddings == str(tmp_path / "e.npz")
    runs = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert pairs_of_runs("", runs) == str(tmp_path / "b" / "truth.csv")
    assert pairs_of_runs("mine.csv", runs) == "mine.csv"
    with pytest.raises(ConfigError, match="truth is not known"):
        pairs_of_runs("", runs[:1])


@pytest.mark.parametrize(
    ("key", "low", "high", "told"),
    [
        ("auc", 0.1, 0.2, "better"), ("auc", -0.2, -0.1, "worse"), ("auc", -0.1, 0.1, "not distinguishable"),
        ("auc", 0.0, 0.1, "not distinguishable"), ("eer", 0.1, 0.2, "worse"), ("eer", -0.2, -0.1, "better"),
        ("tar@0.01", 0.1, 0.2, "better"),
    ],
)  # fmt: skip
def test_a_difference_counts_when_its_interval_leaves_out_zero(key, low, high, told):
    assert verdict(Row(key, 0.5, 0.6, Interval(low, high, 0.95, 100))) == told
    assert verdict(Row(key, 0.5, 0.6)) == "not distinguishable"
