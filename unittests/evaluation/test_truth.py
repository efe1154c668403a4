"""What do.sh leaves as the truth of its pairs."""

import csv

import pytest

from fairface.evaluation.pairs import open_pairs
from fairface.evaluation.request import PhotoSource, TruthSource
from fairface.evaluation.truth import open_truth, write_truth
from fairface.protocols.opening import open_comparisons

PAIRS = [("ann_1", "ann_2"), ("bo_1", "bo_2"), ("ann_1", "bo_1"), ("bo_2", "cy_1")]


@pytest.fixture
def pairs(tmp_path):
    (tmp_path / "faces").mkdir()
    for name in {name for pair in PAIRS for name in pair}:
        (tmp_path / "faces" / f"{name}.png").touch()
    rows = "".join(f"{a},{b},0\n" for a, b in PAIRS)
    (tmp_path / "pairs.csv").write_text(f"ID1,ID2,SCORE\n{rows}")
    people = {"ann_1": "Ann", "ann_2": "Ann", "bo_1": "Bo, junior", "bo_2": "Bo, junior", "cy_1": "Cy"}
    with open(tmp_path / "people.csv", "w", newline="") as file:
        csv.writer(file).writerows([("image", "person"), *people.items()])
    return open_pairs(PhotoSource(aligned=str(tmp_path / "faces"), template=str(tmp_path / "pairs.csv"))), people


@pytest.mark.parametrize("column", ["names", "person"])
def test_the_truth_tells_who_is_shown(tmp_path, pairs, column):
    opened, people = pairs
    known = open_truth(opened, TruthSource(attributes=str(tmp_path / "people.csv"), subjects_from=column))
    write_truth(tmp_path / "truth.csv", known)
    who = people if column == "person" else {name: name[:-2] for name in people}
    with open(tmp_path / "truth.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["ID1"], row["ID2"]) for row in rows] == PAIRS
    assert [row["same"] for row in rows] == ["1", "1", "0", "0"]
    assert [(row["subject_a"], row["subject_b"]) for row in rows] == [(who[a], who[b]) for a, b in PAIRS]
    read = open_comparisons(str(tmp_path / "truth.csv"), "auto", {}).comparisons
    assert read.names == ("ann_1", "bo_1", "bo_2", "ann_2", "cy_1")
    ends = zip(read.subject_a.tolist(), read.subject_b.tolist(), strict=True)
    assert [(read.subject_names[a], read.subject_names[b]) for a, b in ends] == [(who[a], who[b]) for a, b in PAIRS]
    assert read.attribute_names == ()
