"""What runs are called, and where their scores and the truth are."""

import pytest

from fairface.errors import ConfigError
from fairface.evaluation.run_scores import names_of, pairs_of_runs, scores_of_run


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
