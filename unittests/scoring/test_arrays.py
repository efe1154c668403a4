"""Comparisons out of plain arrays, and what is scored from plain arrays: which image is whose, what is refused."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.arrays import comparisons_of
from fairface.scoring.fairness.of_arrays import evaluate as evaluate_fairness
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold
from fairface.scoring.similarity import similarity
from fairface.scoring.verification import evaluate, verify, verify_embeddings

SUBJECTS = [["eva", "eva"], ["bob", "ada"], ["ada", "ada"]]


def test_a_comparison_is_of_two_images_of_its_own():
    made = comparisons_of([1, 0, 1], SUBJECTS, {"sex": [["f", "f"], ["m", "f"], ["f", ""]], "skin": ["b", None, "a"]})
    assert made.a.tolist() == [0, 2, 4]
    assert made.b.tolist() == [1, 3, 5]
    assert (made.same.dtype, made.same.tolist()) == (np.bool_, [True, False, True])
    assert made.fold.tolist() == [-1, -1, -1]
    assert made.subject_a.tolist() == [2, 1, 0]  # of the sorted names
    assert made.subject_b.tolist() == [2, 0, 0]
    assert made.attribute_names == ("sex", "skin")
    assert made.attribute_values == (("f", "m"), ("a", "b"))
    assert made.attributes.dtype == np.int8
    assert made.attributes.tolist() == [[0, 1], [0, 1], [1, -1], [0, -1], [0, 0], [-1, 0]]


def test_nobody_and_nothing_named():
    made = comparisons_of(np.array([True, False]))
    assert made.subject_a.tolist() == made.subject_b.tolist() == [-1, -1]
    assert made.attributes.shape == (0, 0)
    assert made.attribute_names == made.attribute_values == ()


@pytest.mark.parametrize("same", [[[1, 0]], [2, 0], [-1, 0], [0.5, 1.0], 1])
def test_same_is_yes_or_no_for_each_comparison(same):
    with pytest.raises(DataError, match=r"'same' has shape .*True or False \(1 or 0\) for each"):
        comparisons_of(same)


@pytest.mark.parametrize(
    "wrong", [["a", "b"], [["a", "b"]], [["a"]] * 3, [["a", "b", "c"]] * 3, [["a", "b"], ["a"], ["a", "b"]]]
)
def test_names_are_two_for_each_comparison(wrong):
    with pytest.raises(DataError, match=r"subjects has shape \(.*must be \(3, 2\)"):
        comparisons_of([1, 0, 1], wrong)
    with pytest.raises(DataError, match=r"hair has shape \(.*must be \(3, 2\)"):
        comparisons_of([1, 0, 1], None, {"hair": wrong})


@pytest.mark.parametrize("unknown", [None, "", float("nan"), np.float32("nan")])
def test_an_image_of_unknown_value_is_in_no_group(unknown):
    for values in (["f", unknown, "m"], np.array(["f", unknown, "m"]), np.array(["f", unknown, "m"], object)):
        if isinstance(values, np.ndarray) and unknown is None and values.dtype.kind != "O":
            continue
        made = comparisons_of([1, 0, 1], None, {"sex": values})
        assert made.attribute_values == (("f", "m"),)
        assert made.attributes[:, 0].tolist() == [0, 0, -1, -1, 1, 1]
    ages = comparisons_of([1, 0, 1], None, {"age": np.array([20.0, np.nan, 30.0])})
    assert (ages.attribute_values, ages.attributes[2:4, 0].tolist()) == ((("20.0", "30.0"),), [-1, -1])


@pytest.mark.parametrize("unknown", [None, "", float("nan")])
def test_a_comparison_with_subjects_names_both(unknown):
    for values in ([["eva", "eva"], ["bob", unknown], [unknown, "ada"]],
                   np.array([["eva", "eva"], ["bob", unknown], [unknown, "ada"]], object)):  # fmt: skip
        with pytest.raises(DataError, match=r"subjects: comparison 1 names \['bob', .*\(2 of 3 name nobody") as caught:
            comparisons_of([1, 0, 1], values)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"subjects: comparison 0 names .*1 of 1 name nobody"):
        comparisons_of([1], np.array([[1.0, np.nan]]))
    with pytest.raises(DataError, match="subjects are of several types"):
        comparisons_of([1, 0], [["eva", "eva"], ["eva", 7]])


def test_numbers_name_subjects_as_texts_do():
    by_text, by_number = (comparisons_of([1, 0], of) for of in ([["a", "a"], ["c", "b"]], [[3, 3], [9, 5]]))
    assert by_text.subject_a.tolist() == by_number.subject_a.tolist() == [0, 2]
    assert by_text.subject_b.tolist() == by_number.subject_b.tolist() == [0, 1]


def test_an_attribute_has_127_values_at_most():
    values = [f"v{number:03d}" for number in range(128)]
    made = comparisons_of(np.zeros(127, bool), None, {"age": values[:127]})
    assert made.attributes[:, 0].max() == 126
    assert made.attribute_values == (tuple(values[:127]),)
    with pytest.raises(DataError, match=r"age has 128 values; .* 127 at most"):
        comparisons_of(np.zeros(128, bool), None, {"age": values})


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(4)
    subjects = rng.integers(0, 12, (600, 2))
    subjects[::3, 1] = subjects[::3, 0]
    same = subjects[:, 0] == subjects[:, 1]
    return rng.uniform(-1, 1, 600) * 0.3 + 0.5 * same, same, subjects


def test_verification_of_arrays_is_that_of_their_comparisons(scored):
    scores, same, subjects = scored
    options = {"folds": 4, "fmr": (0.1, 0.02), "rounds": 12, "level": 0.8, "seed": 3}
    found = evaluate(scores.tolist(), same.astype(int).tolist(), subjects, **options)
    assert found.to_dict() == verify(scores, comparisons_of(same, subjects), **options).to_dict()
    assert (found.folds, found.subjects, set(found.tar)) == (4, 12, {"0.1", "0.02"})
    assert found.intervals["auc"].level == 0.8
    nameless = evaluate(scores, same)
    assert nameless.subjects is None
    assert nameless.reasons["subjects"] == "the protocol names no subjects"
    assert nameless.folds == 10
    assert nameless.intervals == {}


def test_embeddings_are_compared_row_by_row(scored):
    _, same, subjects = scored
    rows = np.random.default_rng(0).normal(size=(600, 2, 5)) + 2 * same[:, None, None]
    expected = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in rows]
    options = {"folds": 5, "fmr": (0.1,), "rounds": 9, "level": 0.7, "seed": 1}
    by_hand = evaluate(expected, same, subjects, **options).to_dict()
    found = evaluate(rows.reshape(1200, 5), same, subjects, **options).to_dict()
    again = verify_embeddings(rows.reshape(1200, 5), comparisons_of(same, subjects), **options).to_dict()
    assert found == again
    assert found["auc"] == pytest.approx(by_hand["auc"], abs=1e-12)
    assert found["tar"]["0.1"] == pytest.approx(by_hand["tar"]["0.1"], abs=1e-12)
    assert found["accuracy"] == pytest.approx(by_hand["accuracy"], abs=1e-12)
    assert found["intervals"]["auc"]["low"] == pytest.approx(by_hand["intervals"]["auc"]["low"], abs=1e-12)


@pytest.mark.parametrize("rows", [0, 598, 1198, 1202])
def test_embeddings_that_are_not_two_for_each_comparison_are_refused(scored, rows):
    _, same, subjects = scored
    embeddings = np.random.default_rng(0).normal(size=(rows, 5))
    with pytest.raises(DataError, match=f"^{rows} embeddings for 600 comparisons; give two rows for each"):
        evaluate(embeddings, same, subjects)


@pytest.mark.parametrize("count", [599, 601])
def test_scores_that_are_not_one_for_each_comparison_are_refused(scored, count):
    _, same, subjects = scored
    with pytest.raises(DataError, match=rf"\({count},\) scores for \(600,\) comparisons"):
        evaluate(np.linspace(0, 1, count), same, subjects)


def test_fairness_of_arrays_is_at_the_rate_or_the_threshold_that_is_asked_for(scored):
    scores, same, subjects = scored
    sex = np.where(subjects < 6, "f", "m")
    options = FairnessOptions(rounds=5, min_subjects=4)
    found = evaluate_fairness(scores, same, {"sex": sex}, subjects, options=options)
    assert found.threshold == calibrated_threshold(scores, same, 0.01)
    assert evaluate_fairness(scores, same, {"sex": sex}, fmr=0.1).threshold == calibrated_threshold(scores, same, 0.1)
    given = evaluate_fairness(scores, same, {"sex": sex}, subjects, threshold=0.25, options=options)
    assert (given.threshold.value, given.threshold.how, given.options) == (0.25, "given", options)
    assert list(given.groupings) == ["sex"]
    rows = same & (sex == "m").all(axis=1)
    wrong = int((scores[rows] < 0.25).sum())
    assert (given.groupings["sex"].row("m").fnmr.errors, given.groupings["sex"].row("m").fnmr.comparisons) == (
        wrong, rows.sum(),
    )  # fmt: skip


def test_similarity_has_an_axis_for_each_side_that_holds_several():
    one, several = np.array([3.0, 4.0]), np.array([[1.0, 0.0], [0.0, -2.0], [-3.0, -4.0]])
    assert similarity(one, one) == 1.0
    assert isinstance(similarity(one, [4.0, 3.0]), float)
    np.testing.assert_allclose(similarity(one, several), [0.6, -0.8, -1.0], atol=1e-15)
    np.testing.assert_allclose(similarity(several, one), [0.6, -0.8, -1.0], atol=1e-15)
    assert similarity(several, several[:2]).shape == (3, 2)
    assert similarity(several, several[:2])[2].tolist() == pytest.approx([-0.6, 0.8])
    # Rounding must not leave the range of a cosine.
    rows = np.random.default_rng(0).normal(size=(200, 7))
    assert np.abs(similarity(rows, -rows)).max() <= 1.0
    with pytest.raises(DataError, match="embeddings have 2 and 3 values; compare those of one model"):
        similarity(several, [1.0, 0.0, 0.0])
