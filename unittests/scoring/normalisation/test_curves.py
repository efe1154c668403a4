"""Platt's line and the isotonic curve, against other implementations."""

import math

import numpy as np
import pytest
from scipy import special, stats
from sklearn.linear_model import LogisticRegression

from fairface.errors import DataError
from fairface.scoring.normalisation.calibration import CURVES
from fairface.scoring.normalisation.isotonic import Isotonic
from fairface.scoring.normalisation.platt import Platt


def world(genuine=80, impostor=700, seed=0, apart=0.3):
    rng = np.random.default_rng(seed)
    same = np.arange(genuine + impostor) < genuine
    return rng.normal(np.where(same, 0.2 + apart, 0.2), 0.15), same


def pool_adjacent_violators(scores, same):
    """Share of genuine by rising score, each kind weighing one half: neighbours that fall are joined."""
    blocks = []
    for place in np.argsort(scores):
        weight = 0.5 / same.sum() if same[place] else 0.5 / (~same).sum()
        blocks.append([weight, weight * bool(same[place]), [place]])
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][0] >= blocks[-1][1] / blocks[-1][0]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + last[0], blocks[-1][1] + last[1], blocks[-1][2] + last[2]]
    found = np.empty(len(scores))
    for weight, genuine, places in blocks:
        found[places] = genuine / weight
    return found


def test_platt_is_the_weighted_logistic_regression_of_his_targets():
    scores, same = world()
    line = Platt.fit(scores, same)
    genuine, impostor = same.sum(), (~same).sum()
    target = np.where(same, (genuine + 1) / (genuine + 2), 1 / (impostor + 2))
    weight = np.where(same, 0.5 / genuine, 0.5 / impostor)
    # A soft target is two hard ones that share the weight.
    model = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000)
    model.fit(np.tile(scores, 2)[:, None], np.repeat([1, 0], len(scores)),
              np.concatenate([weight * target, weight * (1 - target)]) * 1e3)  # fmt: skip
    assert line.slope == pytest.approx(model.coef_[0, 0], rel=1e-4)
    assert line.intercept == pytest.approx(model.intercept_[0], rel=1e-4)
    assert line(np.array([0.5]))[0] == pytest.approx(line.slope * 0.5 + line.intercept, rel=1e-12)


def test_platt_finds_the_odds_of_two_normal_distributions():
    scores, same = world(40_000, 40_000)
    line = Platt.fit(scores, same)
    at = np.array([0.1, 0.3, 0.5])
    odds = stats.norm.logpdf(at, 0.5, 0.15) - stats.norm.logpdf(at, 0.2, 0.15)
    np.testing.assert_allclose(line(at), odds, atol=0.15)


def test_scores_that_never_overlap_keep_a_finite_line():
    scores, same = world(apart=9.0)
    assert math.isfinite(Platt.fit(scores, same).slope)


def test_isotonic_is_that_of_pooled_neighbours():
    scores, same = world()
    curve = Isotonic.fit(scores, same)
    expected = pool_adjacent_violators(scores, same)
    found = special.expit(curve(scores) - 1e-6 * scores)
    np.testing.assert_allclose(found, np.clip(expected, 1e-6, 1 - 1e-6), atol=1e-9)


def test_isotonic_keeps_the_order_of_scores_where_it_is_flat():
    scores, same = world()
    values = Isotonic.fit(scores, same)(np.sort(scores))
    assert (np.diff(values) > 0).all()
    beyond = Isotonic.fit(scores, same)(np.array([-5.0, -4.0, 5.0, 6.0]))
    assert (np.diff(beyond) > 0).all()


@pytest.mark.parametrize("method", CURVES)
def test_distances_are_refused(method):
    scores, same = world()
    with pytest.raises(DataError, match="genuine scores are not higher"):
        CURVES[method].fit(-scores, same)
