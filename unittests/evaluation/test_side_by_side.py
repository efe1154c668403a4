"""Two sets side by side: which intervals may decide something, and which folds the accuracy's interval rests on."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.compared_runs import verdict
from fairface.evaluation.side_by_side import side_by_side
from fairface.evaluation.verified import VerifyOptions, verify_pairs
from fairface.scoring.kfold import kfold_accuracy, stratified_folds
from unittests.scoring.fairness.helpers import small_world

OPTIONS = VerifyOptions(folds=5, fmr=(0.1,), rounds=60)


@pytest.fixture(scope="module")
def world():
    """A list sorted by truth with the scores of two models, the second of which is better; all are cosines."""
    scores, comparisons = small_world(subjects=24, images=3, worse=0.2)
    scores = scores / 2
    return comparisons, scores, np.round(scores + 0.15 * comparisons.same, 3)


def beside(comparisons, *scores):
    sets = [verify_pairs(ScoredPairs(comparisons, (of,)), OPTIONS, "list") for of in scores]
    return side_by_side(("one", "other"), *sets, OPTIONS)


def rows_of(found):
    return {row.key: row for row in found.rows}


def without_subjects(comparisons):
    unknown = np.full(len(comparisons), -1, np.int64)
    return replace(comparisons, subject_a=unknown, subject_b=unknown)


def test_without_subjects_an_interval_of_pairs_decides_nothing(world):
    comparisons, *scores = world
    named, nameless = (beside(of, *scores) for of in (comparisons, without_subjects(comparisons)))
    assert named.difference.over_subjects
    assert not nameless.difference.over_subjects
    for key in ("auc", "eer", "tar@0.1"):
        assert verdict(rows_of(named)[key]) == "better"
        row = rows_of(nameless)[key]
        assert row.interval.low > 0 or row.interval.high < 0
        assert verdict(row) == "not judged: no subjects named"
    assert not any("no subjects are named" in note for note in named.notes)
    assert "no subjects are named, so intervals draw pairs" in nameless.notes[0]
    assert nameless.to_dict()["notes"] == list(nameless.notes)


def test_the_accuracy_is_judged_on_the_folds_of_a_protocol_alone(world):
    comparisons, *scores = world
    found = beside(comparisons, *scores)
    folds = stratified_folds(comparisons.same, 5)  # the list is sorted by truth, so contiguous folds have one kind each
    first, second = (kfold_accuracy(of, comparisons.same, folds).accuracies for of in scores)
    row = rows_of(found)["accuracy"]
    assert row.difference == pytest.approx((second - first).mean(), abs=1e-12)
    half = stats.t.ppf(0.975, 4) * stats.sem(second - first)
    expected = (second - first).mean() + np.array([-half, half])
    assert (row.interval.low, row.interval.high) == pytest.approx(tuple(expected), abs=1e-12)
    assert row.interval.low > 0
    assert verdict(row) == "not judged: no folds named"
    assert any("the list names no folds" in note for note in found.notes)
    with_folds = beside(replace(comparisons, fold=folds), *scores)
    assert rows_of(with_folds)["accuracy"].interval == row.interval
    assert verdict(rows_of(with_folds)["accuracy"]) == "better"
    assert with_folds.notes == ()
