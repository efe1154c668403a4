import re

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.protocols.all_pairs import all_pairs
from fairface.report.verification_table import verification_notes, verification_rows, verification_table
from fairface.scoring.verification import verify


@pytest.fixture(scope="module")
def result():
    comparisons = all_pairs(np.repeat(np.arange(8), 4))
    rng = np.random.default_rng(0)
    return verify(np.clip(rng.normal(comparisons.same * 0.4, 0.2), -1, 1), comparisons, fmr=(1e-2, 1e-3), rounds=10)


def test_one_row_a_set_with_intervals_and_reasons(result):
    lines = verification_table({("first",): result, ("second",): result}, ("set",)).splitlines()
    assert re.split(r"\s{2,}", lines[0]) == [
        "set", "genuine", "impostor", "subjects", "AUC", "EER", "TAR at FMR 0.01", "TAR at FMR 0.001",
    ]  # fmt: skip
    assert len(lines) == 4 + 2 + 1
    cells = re.split(r"\s{2,}", lines[2])
    assert cells[:4] == ["first", "48", "448", "8"]
    low, high = result.intervals["auc"].low, result.intervals["auc"].high
    assert cells[4] == f"{result.auc:.4f} [{low:.4f}, {high:.4f}]"
    assert cells[5] == f"{result.eer:.4f}"
    assert cells[-1] == "n/a"
    reason = "TAR at FMR 0.001 n/a: 448 impostor comparisons; FMR 0.001 needs at least 1000"
    assert lines[4] == f"first, second: {reason}"
    assert lines[5] == (  # 448 of 496
        "first, second: accuracy is not shown: 90.3% of the comparisons are impostor ones, and giving always that "
        "answer would be right as often"
    )
    assert lines[-1] == "[low, high]: 95% confidence intervals over subjects, 10 bootstrap resamples"


def test_a_brief_table_has_three_digits_and_neither_counts_nor_notes(result):
    lines = verification_table({("first", "mine"): result}, ("set", "model"), brief=True).splitlines()
    header = ["set", "model", "AUC", "EER", "TAR at FMR 0.01", "TAR at FMR 0.001"]
    assert re.split(r"\s{2,}", lines[0]) == header
    cells = re.split(r"\s{2,}", lines[2])
    low, high = result.intervals["auc"].low, result.intervals["auc"].high
    assert cells[2:4] == [f"{result.auc:.3f} [{low:.3f}, {high:.3f}]", f"{result.eer:.3f}"]
    assert len(lines) == 3


def test_accuracy_of_as_many_genuine_as_impostor_comparisons(result):
    """Sorted by truth, as nobody's folds may be: 0.5 on a contiguous fold of one kind whatever the scores are."""
    rng = np.random.default_rng(1)
    same = np.arange(200) < 100
    order = rng.permutation(200)
    scores = np.clip(rng.normal(same * 0.3, 0.2), -1, 1)
    images = np.arange(200)
    none = np.full(200, -1, np.int32)
    both = [Comparisons(images, images, same[at], none, images, images) for at in (images, order)]
    halves, shuffled = (verify(scores[at], of, fmr=(1e-2, 1e-3)) for at, of in zip((images, order), both, strict=True))
    assert abs(halves.accuracy - shuffled.accuracy) < 0.05
    assert (halves.majority_share, halves.is_balanced, shuffled.notes) == (0.5, True, ())
    text = verification_table({("sorted",): halves, ("first",): result}, ("set",))
    assert text.splitlines()[0].endswith("accuracy")
    assert f"{halves.accuracy:.4f} ± {halves.accuracy_std:.4f}" in text.splitlines()[2]
    assert text.splitlines()[3].endswith("n/a")
    assert "sorted: the list names no folds and is sorted by truth: 10 folds were drawn at random (seed 0)" in text
    assert halves.to_dict()["majority_share"] == 0.5
    assert len(halves.to_dict()["notes"]) == 1


def test_without_accuracy_neither_its_column_nor_its_reason(result):
    folds = np.array([0, -1] * 248, np.int32)
    comparisons = all_pairs(np.repeat(np.arange(8), 4))
    odd = verify(comparisons.same * 0.5 + np.arange(496) / 1e4, type(comparisons)(
        comparisons.a, comparisons.b, comparisons.same, folds, comparisons.subject_a, comparisons.subject_b,
    ), fmr=(0.01,))  # fmt: skip
    header, rows = verification_rows({("x",): odd}, ("set",), accuracy=False)
    assert (header[-1], len(rows[0])) == ("TAR at FMR 0.01", len(header))
    assert verification_notes({("x",): odd}, accuracy=False) == []
    assert verification_notes({("x",): odd}) == [
        "x: accuracy n/a: 248 of 496 comparisons name no fold; name all or none"
    ]


def test_no_results_give_a_header():
    assert verification_table({}, ("set",)).split()[:2] == ["set", "genuine"]
