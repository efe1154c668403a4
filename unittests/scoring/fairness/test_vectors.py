"""Rates, AUC and EER of groups against what fairlearn, scikit-learn and pyeer give on the same scores."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.comparisons import Comparisons
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.measures import gap, max_min
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from fairface.scoring.roc import eer
from unittests.scoring.fairness.helpers import small_world

EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module")
def vectors():
    with np.load(Path(__file__).parents[2] / "vectors" / "fairness_metricframe_pyeer.npz") as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def comparisons(vectors):
    """Every row is a comparison of two images of its own; nobody is named."""
    count = len(vectors["scores"])
    first, unknown = 2 * np.arange(count), np.full(count, -1)
    attributes = np.repeat(np.stack([vectors["group"], vectors["control"]], axis=1), 2, axis=0).astype(np.int8)
    return Comparisons(
        first, first + 1, vectors["label"].astype(bool), unknown.astype(np.int32), unknown, unknown,
        attributes, ("group", "control"),
    )  # fmt: skip


@pytest.mark.parametrize("threshold", [25, 35, 50])
def test_rates_are_fairlearns(vectors, comparisons, threshold):
    result = assess(vectors["scores"], comparisons, ["group", "control"], given_threshold(threshold / 100))
    of_group = result.groupings["group"]
    rates = {side: np.array([getattr(row, side).value for row in of_group.rows]) for side in ("fmr", "fnmr")}
    for side, found in rates.items():
        stored = {key: vectors[f"t{threshold}_{side}_{key}"] for key in ("by_group", "overall", "diff", "ratio")}
        np.testing.assert_allclose(found, stored["by_group"], **EXACT)
        assert getattr(result, side).value == pytest.approx(float(stored["overall"]), abs=1e-12)
        assert gap(found) == pytest.approx(float(stored["diff"]), abs=1e-12)
        if stored["ratio"] > 0:  # fairlearn: min / max, and 0 where ours is undefined
            assert 1 / max_min(found) == pytest.approx(float(stored["ratio"]), abs=1e-12)
        else:
            assert np.isnan(max_min(found))
        table = vectors[f"t{threshold}_{side}_by_control_group"]
        for row in result.groupings["group+control"].rows:
            group, control = map(int, row.group.split("+"))
            assert getattr(row, side).value == pytest.approx(table[control, group], abs=1e-12)
    assert of_group.accounting.total == 1100


def test_areas_are_scikit_learns_and_pyeers(vectors, comparisons):
    rows = assess(vectors["scores"], comparisons, ["group"], given_threshold(0.35)).groupings["group"].rows
    curves = group_curves(vectors["scores"], comparisons, ["group"], rounds=0)
    for code, (row, curve) in enumerate(zip(rows, curves, strict=True)):
        assert row.auc == pytest.approx(float(vectors[f"sk_g{code}_auc"]), abs=1e-12)
        assert row.auc == pytest.approx(float(vectors[f"pyeer_g{code}_auc"]), abs=1e-9)
        low, high = (float(vectors[f"pyeer_g{code}_eer_{end}"]) for end in ("low", "high"))
        assert low - 1e-12 <= eer(curve.roc) <= high + 1e-12
        best = curve.roc.fnmr[curve.roc.fmr == 0].min()
        assert best == pytest.approx(float(vectors[f"pyeer_g{code}_fmr0"]), abs=1e-12)


def test_curves_have_bands_around_them():
    scores, comparisons = small_world(subjects=40)
    curves = group_curves(scores, comparisons, ["sex"], rounds=100, grid=(1e-4, 0.05, 0.2))
    for code, curve in enumerate(curves):
        assert np.isnan(curve.tar[0])  # 190 impostor comparisons say nothing of 1e-4
        assert (curve.low[1:] <= curve.tar[1:]).all()
        assert (curve.tar[1:] <= curve.high[1:]).all()
        assert (curve.low[1:] < curve.high[1:]).all()
        inside = (comparisons.attributes[comparisons.a, 0] == code) & (comparisons.attributes[comparisons.b, 0] == code)
        assert curve.auc == pytest.approx(roc_auc_score(comparisons.same[inside], scores[inside]), abs=1e-12)
        assert curve.auc_interval.low < curve.auc < curve.auc_interval.high


def test_a_group_without_a_curve_says_why():
    scores, comparisons = small_world(subjects=40)
    of_f = comparisons.attributes[comparisons.a, 0] == 0
    kept = ~(of_f & comparisons.same)
    fewer = replace(comparisons, **{
        name: getattr(comparisons, name)[kept] for name in ("a", "b", "same", "fold", "subject_a", "subject_b")
    })  # fmt: skip
    curve = group_curves(scores[kept], fewer, ["sex"], rounds=10)[0]
    assert curve.roc is None
    assert curve.reason == "0 genuine and 190 impostor comparisons"
    options = FairnessOptions(rounds=10, min_subjects=5)
    row = assess(scores[kept], fewer, ["sex"], given_threshold(0.35), options).groupings["sex"].row("f")
    assert np.isnan(row.auc)
    assert np.isnan(row.fnmr.value)
    assert row.fnmr.reason == "no genuine comparisons"
