"""Rates at many thresholds in one pass, against the fairness score at each of them, worked out anew."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.score_summary import summarise_scores
from fairface.scoring.fairness.threshold import given_threshold
from fairface.scoring.fairness.threshold_grid import threshold_grid
from fairface.scoring.fairness.threshold_table import threshold_table
from unittests.scoring.fairness.helpers import small_world, with_attribute


def agree(rate, sweep, place):
    assert sweep.errors[place] == rate.errors
    assert sweep.comparisons == rate.comparisons
    np.testing.assert_allclose(sweep.value[place], rate.value)
    np.testing.assert_allclose([sweep.low[place], sweep.high[place]], [rate.low, rate.high], rtol=1e-7)


@pytest.mark.parametrize("images", [1, 4])
def test_it_is_the_fairness_score_at_each_threshold(images):
    scores, comparisons = small_world(subjects=24, images=3, seed=images, worse=0.2, values=("f", "m", "x"))
    if images > 1:  # several comparisons of each two subjects, and another attribute that differs within subjects
        scores = np.concatenate([scores, scores[::-1] * 0.9])
        both = {
            name: np.concatenate([getattr(comparisons, name), getattr(comparisons, name)[::-1]])
            for name in ("a", "b", "same", "fold", "subject_a", "subject_b")
        }
        comparisons = type(comparisons)(**{**vars(comparisons), **both})
    comparisons = with_attribute(comparisons, np.arange(len(comparisons.attributes)) % 5 == 0)
    summary = summarise_scores(scores, comparisons, ["sex", "glasses"], 0.35, level=0.9, size=40)
    grid = summary.tables["all"].thresholds
    assert list(summary.tables) == ["all", "sex", "glasses", "sex+glasses"]
    assert grid[summary.tables["sex"].operating] == 0.35
    options = FairnessOptions(level=0.9, rounds=0, min_subjects=2)
    for place in [*range(1, len(grid) - 1, 5), summary.tables["all"].operating]:
        result = assess(scores, comparisons, ["sex", "glasses"], given_threshold(grid[place]), options)
        agree(result.fmr, summary.tables["all"].fmr[0], place)
        agree(result.fnmr, summary.tables["all"].fnmr[0], place)
        for name, found in result.groupings.items():
            table = summary.tables[name]
            assert table.groups == tuple(row.group for row in found.rows)
            for row, fmr, fnmr in zip(found.rows, table.fmr, table.fnmr, strict=True):
                agree(row.fmr, fmr, place)
                agree(row.fnmr, fnmr, place)


def test_without_subjects_there_are_rates_and_no_intervals():
    scores, comparisons = small_world(subjects=10)
    nobody = np.full(len(comparisons), -1)
    unnamed = type(comparisons)(**{**vars(comparisons), "subject_a": nobody, "subject_b": nobody})
    table = threshold_table(scores, unnamed, group_images(unnamed, ["sex"]), np.array([0.2, 0.4]), 0.4)
    for sweep in (*table.fmr, *table.fnmr):
        assert np.isfinite(sweep.value).all()
        assert np.isnan([sweep.low, sweep.high]).all()
        assert sweep.to_dict()["low"] == [None, None]


def test_a_group_without_a_kind_of_comparison_and_scores_that_are_missing():
    scores, comparisons = small_world(subjects=6, values=("f", "m"))
    group = comparisons.attributes[comparisons.a, 0], comparisons.attributes[comparisons.b, 0]
    scores = scores.astype(float)
    scores[comparisons.same & (group[0] == 1)] = np.nan
    table = threshold_table(scores, comparisons, group_images(comparisons, ["sex"]), np.array([0.3]), 0.3)
    assert table.fnmr[1].comparisons == 0
    assert np.isnan(table.fnmr[1].value).all()
    errors = 0
    for place, score in enumerate(scores):
        inside = group[0][place] == group[1][place] == 0
        errors += bool(inside and comparisons.same[place] and score < 0.3)
    assert table.fnmr[0].errors.tolist() == [errors]


def test_an_attribute_that_has_the_name_of_everybody_is_refused():
    scores, comparisons = small_world(subjects=6)
    with pytest.raises(DataError, match="is called all"):
        summarise_scores(scores, comparisons, ["all"], 0.3)


def test_the_grid_has_thresholds_where_rates_are_small():
    rng = np.random.default_rng(0)
    same = np.arange(20_000) < 5_000
    scores = rng.normal(0, 1, 20_000) + 3 * same
    grid = threshold_grid(scores, same, 1.25)
    assert 150 < len(grid) <= 200
    assert 1.25 in grid
    assert (np.diff(grid) > 0).all()
    fmr = np.array([(scores[~same] >= threshold).mean() for threshold in grid])
    fnmr = np.array([(scores[same] < threshold).mean() for threshold in grid])
    for rates, count in ((fmr, 15_000), (fnmr, 5_000)):
        assert ((rates > 0) & (rates <= 20 / count)).sum() >= 8
        assert rates.min() <= 1 / count


def test_equal_scores_leave_fewer_thresholds():
    same = np.array([True, False, True, False])
    assert threshold_grid(np.array([1.0, 1.0, 2.0, 1.0]), same, 1.5).tolist() == [1.0, 1.5, 2.0]
    assert threshold_grid(np.array([2.0]), np.array([True]), 1.0).tolist() == [1.0, 2.0]
