"""Scores of which no rate means anything, and the worst group where there is none."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from fairface.scoring.fairness.unusable import upside_down, why_unusable
from unittests.scoring.fairness.helpers import small_world

SAME = np.array([True, True, False, False])
OPTIONS = FairnessOptions(rounds=0, min_subjects=2)
DISTANCES = "genuine comparisons score lower on average"


@pytest.mark.parametrize(
    ("scores", "area"),
    [([1, 2, 3, 4], "0.000"), ([1, 4, 3, 2], ""), ([2, 4, 3, 1], ""), ([1, 3, 4, 2], "0.250"), ([1, 1, 1, 1], ""),
     ([1, np.nan, 3, 4], "0.000"), ([1, 3, np.inf, 4], "0.000"), ([1, 2, np.nan, np.nan], ""), ([np.nan] * 4, ""),
     ([np.nan, -np.inf, 1, 2], "")],
)  # fmt: skip
def test_scores_are_upside_down_where_impostors_beat_genuine_ones(scores, area):
    said = upside_down(np.array(scores, float), SAME)
    assert bool(said) == bool(area)
    assert f"(AUC {area})" in said or not area


def world(**options):
    return small_world(subjects=8, images=2, **options)


@pytest.mark.parametrize(("one_kind", "told"), [
    (True, "the FNMR is 1: no genuine comparison matches at the threshold 0.5"),
    (False, "the FMR is 1: every impostor comparison matches at the threshold 0.5"),
])  # fmt: skip
def test_a_rate_of_one_is_told_and_a_single_exception_is_not(one_kind, told):
    """All comparisons of one kind are wrong; of the other kind half are, so that the threshold is within reach."""
    _, comparisons = world()
    same = comparisons.same
    half = np.arange(len(same)) % 2
    scores = np.where(same == one_kind, 0.0 if one_kind else 1.0, half)
    at = given_threshold(0.5)
    assert told in why_unusable(scores, same, assess(scores, comparisons, ["sex"], at, OPTIONS))
    scores[np.flatnonzero(same == one_kind)[3]] = 1.0 if one_kind else 0.0
    assert told not in why_unusable(scores, same, assess(scores, comparisons, ["sex"], at, OPTIONS))


def test_usable_scores_have_nothing_to_say():
    scores, comparisons = world()
    result = assess(scores, comparisons, ["sex"], given_threshold(0.35), OPTIONS)
    assert why_unusable(scores, comparisons.same, result) == ()
    assert result.notes == ()
    turned = why_unusable(-scores, comparisons.same, result)
    assert len(turned) == 1
    assert "use --distance" in turned[0]


def test_distances_are_remarked_upon_and_scores_are_not():
    scores, comparisons = world()
    assert not any(DISTANCES in note for note in assess(scores, comparisons, ["sex"], given_threshold(0.35)).notes)
    assert any(DISTANCES in note for note in assess(-scores, comparisons, ["sex"], given_threshold(-0.35)).notes)
    equal = np.where(np.arange(len(scores)) % 2, 0.0, 1.0)
    equal[~comparisons.same] = 0.5
    equal[comparisons.same] = np.where(np.arange(comparisons.genuine) % 2, 0.25, 0.75)  # the means are equal
    assert not any(DISTANCES in note for note in assess(equal, comparisons, ["sex"], given_threshold(0.5)).notes)


@pytest.mark.parametrize("kind", [True, False])
def test_comparisons_of_one_kind_have_no_direction(kind):
    scores, comparisons = world()
    rows = comparisons.same == kind
    part = replace(comparisons, **{
        name: getattr(comparisons, name)[rows] for name in ("a", "b", "same", "fold", "subject_a", "subject_b")
    })  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = assess(scores[rows], part, ["sex"], given_threshold(float(np.median(scores[rows]))), OPTIONS)
    assert result.notes == ()
    other = result.fmr if kind else result.fnmr
    assert np.isnan(other.value)
    assert other.reason == f"no {'impostor' if kind else 'genuine'} comparisons"
