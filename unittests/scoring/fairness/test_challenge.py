"""The challenge's measure against its description carried out step by step."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score, roc_curve

from fairface.errors import ConfigError
from fairface.scoring.fairness.aggregation import one_sided, ranges, worst_cell
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from unittests.scoring.fairness.helpers import small_world, with_attribute

OPTIONS = ChallengeOptions(rounds=30, min_comparisons=5)


@pytest.fixture(scope="module")
def world():
    scores, comparisons = small_world(subjects=40, worse=0.1)
    return scores, with_attribute(comparisons, np.random.default_rng(0).integers(0, 2, 120))


def step_by_step(scores, positive, cell):
    """Global thresholds, the cell's TAR at each, the area over the global FMR."""
    fpr, _, thresholds = roc_curve(positive, scores, drop_intermediate=False)
    tpr = [(scores[cell] >= t).mean() for t in thresholds]
    return auc(fpr, tpr)


@pytest.mark.parametrize("kind", ["genuine", "impostor"])
def test_areas_of_cells(world, kind):
    scores, comparisons = world
    found = challenge_measure(scores, comparisons, ["sex"], ["glasses"], OPTIONS)[f"challenge_{kind}"]
    assert found.legitimate == ("no/no", "no/yes", "yes/yes")
    sex, glasses = comparisons.attributes.T
    chosen = comparisons.same if kind == "genuine" else ~comparisons.same
    sign = 1 if kind == "genuine" else -1
    for i, wanted in enumerate([0, 1, 2]):
        for g in (0, 1):
            cell = chosen & (sex[comparisons.a] == g) & (sex[comparisons.b] == g)
            cell &= glasses[comparisons.a].astype(int) + glasses[comparisons.b] == wanted
            assert found.comparisons[i, g] == cell.sum()
            expected = step_by_step(sign * scores, chosen, cell)
            assert found.areas[i, g] == pytest.approx(expected, abs=1e-12)
            everything = np.concatenate([scores[cell], scores[~chosen]])
            truth = np.repeat([1, 0], [cell.sum(), (~chosen).sum()])
            assert found.areas[i, g] == pytest.approx(roc_auc_score(truth, sign * everything), abs=1e-12)
    assert found.outside == chosen.sum() - found.comparisons.sum()
    assert found.scalar.low <= found.scalar.value <= found.scalar.high
    assert found.scalar.note == "unofficial aggregation one_sided, weights uniform"


def test_aggregations():
    nan = np.nan
    areas = np.array([[0.9, 0.8, nan], [0.7, 0.75, 0.6], [nan, 0.9, nan]])
    weights = np.array([1.0, 3.0, 5.0])
    expected = max(
        (1 * max(0, 0.9 - 0.8) + 3 * max(0, 0.7 - 0.75)) / 4,
        (1 * max(0, 0.8 - 0.9) + 3 * max(0, 0.75 - 0.7)) / 4,
        0.7 - 0.6,
        0.75 - 0.6,
    )
    assert one_sided(areas, weights) == pytest.approx(expected)
    assert ranges(areas, weights) == pytest.approx((1 * 0.1 + 3 * 0.15) / 4)
    assert worst_cell(areas, weights) == pytest.approx(0.15)
    for function in (one_sided, ranges, worst_cell):
        assert np.isnan(function(areas[2:], weights[2:]))
        np.testing.assert_allclose(function(np.stack([areas, areas]), weights), function(areas, weights), rtol=1e-15)


def test_small_cells_are_left_out_and_counted(world):
    scores, comparisons = world
    found = challenge_measure(scores, comparisons, ["sex"], ["glasses"], replace(OPTIONS, min_comparisons=10**6))
    result = found["challenge_genuine"]
    assert np.isnan(result.areas).all()
    assert np.isnan(result.scalar.value)
    assert "no legitimate cell has two groups with 1000000 genuine comparisons" in result.scalar.reason
    assert result.omitted + result.outside == comparisons.genuine


def test_a_real_difference_is_beyond_the_null(world):
    scores, comparisons = small_world(subjects=40, worse=0.25)
    result = challenge_measure(scores, comparisons, ["sex"], (), OPTIONS)["challenge_genuine"]
    assert result.legitimate == ("all",)
    assert result.scalar.value > result.scalar.null_extreme
    assert result.scalar.low > 0
    alike = challenge_measure(*small_world(subjects=40, seed=3), ["sex"], (), OPTIONS)["challenge_genuine"].scalar
    assert alike.low == 0.0
    assert alike.p_value > 0.05


def test_unknown_attributes_are_counted_as_outside(world):
    scores, comparisons = world
    codes = comparisons.attributes.copy()
    codes[:30, 1] = -1
    found = challenge_measure(scores, replace(comparisons, attributes=codes), ["sex"], ["glasses"], OPTIONS)
    result = found["challenge_genuine"]
    assert result.outside == 30  # three pairs for each of ten subjects
    assert result.comparisons.sum() == comparisons.genuine - 30


def test_bad_options():
    with pytest.raises(ConfigError, match="aggregation 'official' is not known"):
        ChallengeOptions(aggregation="official")
    with pytest.raises(ConfigError, match="weights 'some'"):
        ChallengeOptions(weights="some")
