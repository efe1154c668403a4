import dataclasses
import json
import math

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.kfold import kfold_accuracy
from fairface.scoring.roc import auc, eer, roc_curve, tar_at_fmr
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification import count_duplicates, fmr_key, verify, verify_embeddings


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(12), 5)
    embeddings = (rng.standard_normal((12, 16))[subjects] + rng.standard_normal((60, 16))).astype(np.float32)
    comparisons = all_pairs(subjects)
    return embeddings, comparisons, cosine_scores(embeddings, comparisons.a, comparisons.b)


def test_the_result_holds_what_its_parts_give(scored):
    embeddings, comparisons, scores = scored
    result = verify(scores, comparisons)
    roc = roc_curve(scores, comparisons.same)
    assert (result.n_genuine, result.n_impostor, result.subjects, result.duplicates) == (120, 1650, 12, 0)
    assert (result.auc, result.eer) == (auc(roc), eer(roc))
    folds = kfold_accuracy(scores, comparisons.same, 10)
    assert (result.accuracy, result.accuracy_std, result.folds) == (folds.mean, folds.std, 10)
    assert result.tar["0.01"] == tar_at_fmr(roc, 0.01).value
    assert math.isnan(result.tar["0.0001"])
    assert result.reasons == {"tar@0.0001": "1650 impostor comparisons; FMR 0.0001 needs at least 10000"}
    assert verify_embeddings(embeddings, comparisons).auc == result.auc


def test_the_threshold_is_the_best_on_all_comparisons(scored):
    _, comparisons, scores = scored
    threshold = verify(scores, comparisons).threshold
    cosines = 1 - np.arange(0, 4, 0.01) / 2
    best = max(np.mean((scores > t) == comparisons.same) for t in cosines)
    assert np.mean((scores > threshold) == comparisons.same) == best


def test_to_dict_is_json_without_nan(scored):
    _, comparisons, scores = scored
    text = json.dumps(verify(scores, comparisons, rounds=20).to_dict(), allow_nan=False)
    result = json.loads(text)
    assert result["tar"]["0.0001"] is None
    assert "needs at least 10000" in result["reasons"]["tar@0.0001"]
    assert set(result["intervals"]) == {"auc", "tar@0.01", "tar@0.001"}
    assert result["intervals"]["auc"]["low"] <= result["auc"] <= result["intervals"]["auc"]["high"]


def test_the_result_is_frozen(scored):
    _, comparisons, scores = scored
    with pytest.raises(dataclasses.FrozenInstanceError):
        verify(scores, comparisons).auc = 1.0


def test_fewer_comparisons_than_folds_leave_accuracy_undefined_with_a_reason():
    comparisons = all_pairs([0, 0, 1])
    result = verify(np.array([0.9, 0.1, 0.2]), comparisons)
    assert math.isnan(result.accuracy)
    assert result.auc == 1.0
    assert "3 comparisons cannot be split into 10 folds" in result.reasons["accuracy"]
    assert result.to_dict()["accuracy"] is None


def test_scores_that_are_no_cosines_leave_accuracy_undefined(scored):
    _, comparisons, scores = scored
    result = verify(scores * 100, comparisons)
    assert result.auc == verify(scores, comparisons).auc
    assert "cosines" in result.reasons["accuracy"]


def test_nameless_subjects_are_none_and_have_no_interval(scored):
    _, comparisons, scores = scored
    unknown = np.full(len(scores), -1)
    nameless = dataclasses.replace(comparisons, subject_a=unknown, subject_b=unknown)
    result = verify(scores, nameless, rounds=10)
    assert result.subjects is None
    assert result.intervals == {}
    assert {"subjects", "intervals"} <= set(result.reasons)


def test_the_protocols_folds_are_taken_and_half_named_ones_are_not(scored):
    _, comparisons, scores = scored
    fold = (np.arange(len(scores)) % 3).astype(np.int32)
    result = verify(scores, dataclasses.replace(comparisons, fold=fold))
    assert (result.folds, result.accuracy) == (3, kfold_accuracy(scores, comparisons.same, fold).mean)
    fold[5] = -1
    result = verify(scores, dataclasses.replace(comparisons, fold=fold))
    assert "1 of 1770 comparisons names no fold" in result.reasons["accuracy"]


def test_duplicates_are_counted_in_either_order(scored):
    _, comparisons, _ = scored
    doubled = dataclasses.replace(comparisons, a=np.array([0, 1, 2, 5]), b=np.array([1, 0, 3, 3]))
    assert count_duplicates(doubled) == 1
    tripled = dataclasses.replace(comparisons, a=np.array([4, 4, 4]), b=np.array([9, 9, 9]))
    assert count_duplicates(tripled) == 2


def test_bad_input_is_an_error(scored):
    _, comparisons, scores = scored
    with pytest.raises(DataError, match="FMR 2 cannot be used"):
        verify(scores, comparisons, fmr=(2,))
    with pytest.raises(DataError, match="one score for each"):
        verify(scores[:-1], comparisons)
    broken = scores.copy()
    broken[3] = np.inf
    with pytest.raises(DataError, match="not finite"):
        verify(broken, comparisons)


@pytest.mark.parametrize(("target", "text"), [(1e-2, "0.01"), (1e-5, "0.00001"), (0.1, "0.1"), (5e-4, "0.0005")])
def test_an_fmr_as_key(target, text):
    assert fmr_key(target) == text
