"""Subjects with very unequal numbers of images: variances by leaving some out, coverage, and what the report says."""

import numpy as np
import pytest

from fairface.scoring import fairness
from fairface.scoring.all_pairs.spread import Trials
from fairface.scoring.fairness.counts import PairCounts, nodes_of
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rate import rate_of_cell
from fairface.scoring.fairness.spread import independent_in, spread


def genuine_counts(comparisons, errors):
    """One group in which subject s has ``comparisons[s]`` genuine comparisons."""
    people = np.arange(len(comparisons))
    nodes, _ = nodes_of(np.zeros_like(people), people, 1)
    return PairCounts(nodes, people, people, comparisons.astype(float), errors.astype(float), genuine=True)


def without_one(comparisons, errors):
    """The rate where each subject is left out in turn."""
    return np.array([np.delete(errors, s).sum() / np.delete(comparisons, s).sum() for s in range(len(errors))])


def test_the_variance_of_fnmr_is_that_of_leaving_subjects_out():
    comparisons, errors = np.array([400, 90, 10, 3, 1, 1, 6]), np.array([100, 2, 5, 0, 1, 0, 3])
    found = spread(genuine_counts(comparisons, errors), np.zeros(7, np.int64), 1)
    changes = without_one(comparisons, errors) - errors.sum() / comparisons.sum()
    assert found.variance[0] == pytest.approx(6 / 7 * (changes**2).sum(), rel=1e-10)
    assert found.equal_subjects[0] == pytest.approx(comparisons.sum() ** 2 / (comparisons**2).sum())
    assert found.degrees_of_freedom[0] == 1.0  # they tell as much as 1.6 subjects with equally many


def test_subjects_of_all_pairs_count_by_what_leaving_them_out_changes():
    comparisons, matches = np.array([45.0, 3.0, 1.0, 1.0]), np.array([20.0, 3.0, 0.0, 1.0])
    factors, _ = Trials(comparisons, np.array([3.0, 2.0, 2.0, 1.0])).leverages()
    rate, total = matches.sum() / comparisons.sum(), comparisons.sum()
    changes = rate - without_one(comparisons, matches)
    np.testing.assert_allclose(factors * (matches - rate * comparisons) / total, 0.75 * changes, rtol=1e-12)


@pytest.mark.parametrize("images", [[40] + [2] * 29, [40, 30, 20] + [2] * 27, [20] * 4 + [3] * 26])
def test_intervals_hold_the_truth_where_few_people_have_most_images(images):
    """A person's chance of an error is 0 to 0.2, so FNMR is 0.1. Before, the first held it in 57 % of the draws."""
    rng, trials = np.random.default_rng(0), 400
    comparisons = np.array(images) * (np.array(images) - 1) // 2
    cell, inside = np.zeros(len(images), np.int64), 0
    for _ in range(trials):
        counts = genuine_counts(comparisons, rng.binomial(comparisons, rng.uniform(0.0, 0.2, len(images))))
        found = rate_of_cell(spread(counts, cell, 1), 0, 0.95, "genuine", independent_in(counts, cell))
        inside += found.low <= 0.1 <= found.high
    assert inside / trials > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)


def test_one_subject_in_every_comparison_has_no_interval_and_the_reason():
    star = np.stack([np.zeros(40, int), np.arange(1, 41)], axis=1)
    own = np.repeat(np.arange(41), 2).reshape(-1, 2)
    subjects, same = np.concatenate([star, own]), np.arange(81) >= 40
    scores = np.where(same, 0.9, np.where(np.arange(81) % 7 == 0, 0.8, 0.1))
    result = fairness.evaluate(scores, same, {"sex": ["f"] * 81}, subjects, threshold=0.5)
    rate = result.groupings["sex"].row("f").fmr
    assert np.isnan(rate.low)
    assert rate.reason.startswith("one subject is in every comparison")


def noted(images_of_a, images_of_b, name):
    """What the report says of 30 people in each of two groups with so many genuine comparisons each."""
    counts = np.concatenate([images_of_a, images_of_b])
    people = np.repeat(np.arange(60), counts)
    impostors = np.stack([np.arange(60), (np.arange(60) + 1) % 30 + np.arange(60) // 30 * 30], axis=1)
    subjects = np.concatenate([np.stack([people, people], axis=1), impostors])
    same = np.arange(len(subjects)) < len(people)
    scores = np.where(same, 0.9, 0.1) * (np.arange(len(subjects)) % 11 > 0)
    options = FairnessOptions(rounds=20)
    groups = {"g": np.where(subjects < 30, "a", "b")}
    result = fairness.evaluate(scores, same, groups, subjects, threshold=0.5, options=options)
    return [note for note in result.groupings["g"].notes if name in note]


def test_a_group_in_which_few_people_have_most_comparisons_is_remarked_on():
    (note,) = noted([100] + [1] * 29, [2] * 30, "tell about as much")
    told = "FNMR of a: a few of its 30 subjects have most of the genuine comparisons; all of them tell about as much as"
    assert note.startswith(f"{told} {129**2 / (100**2 + 29):.2g} subjects")
    assert noted([2] * 30, [3] * 30, "tell about as much") == []


def test_groups_with_other_numbers_of_comparisons_have_p_values_that_are_too_small():
    (note,) = noted([1] * 30, [2] * 30, "p-values")
    assert note.startswith("a subject of b has 2 genuine comparisons on average, one of a 1: ")
    assert noted([10] * 30, [19] * 30, "p-values") == []
