"""The TAR table and the ROC's corners against insightface's numbers, scikit-learn's ROC and plain counting."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_curve as sklearns_curve

from fairface.errors import DataError
from fairface.scoring.dense_pairs import listed_cosines
from fairface.scoring.nearest_far import nearest_far
from fairface.scoring.roc import auc, eer, roc_curve
from fairface.scoring.roc_corners import roc_corners
from fairface.scoring.tar_table import tar_table
from fairface.scoring.templates import pool_templates

VECTORS = Path(__file__).parents[1] / "vectors" / "score_ijb_11.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(VECTORS) as file:
        return dict(file)


def drawn(seed, digits=3):
    """A few scores with many ties."""
    rng = np.random.default_rng(seed)
    same = np.append([True, False], rng.random(rng.integers(3, 60)) < 0.4)
    return np.round(rng.random(len(same)), digits), same


def test_the_table_is_insightfaces(reference):
    templates = pool_templates(reference["img_feats"], reference["templates"], reference["medias"])
    scores = listed_cosines(templates.features, templates.rows(reference["p1"]), templates.rows(reference["p2"]))
    np.testing.assert_allclose(scores, reference["score"], rtol=0, atol=1e-6)
    found = tar_table(scores, reference["label"].astype(bool), reference["far_points"])
    np.testing.assert_allclose([row.tar_nearest for row in found.rows], reference["tar"], rtol=0, atol=1e-9)
    assert found.auc == pytest.approx(float(reference["auc"]), abs=1e-9)
    assert (found.genuine, found.impostor) == (int(reference["label"].sum()), int((1 - reference["label"]).sum()))


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_the_nearest_point_is_the_one_that_scikit_learns_curve_gives(digits):
    for seed in range(150):
        scores, same = drawn(seed, digits)
        far, tar, _ = sklearns_curve(same, scores)
        far, tar = far[::-1], tar[::-1]
        roc, impostor = roc_corners(scores, same), np.sort(scores[~same])
        for target in (1e-6, 0.01, 0.1, 0.3, 0.5, 0.9):
            place = min(range(len(far)), key=lambda i: (abs(far[i] - target), i))
            assert nearest_far(roc, impostor, target) == pytest.approx((far[place], tar[place]), abs=1e-12)


def test_corners_have_the_area_the_eer_and_the_points_of_the_whole_curve():
    for seed in range(60):
        scores, same = drawn(seed, 1 + seed % 3)
        whole, corners = roc_curve(scores, same), roc_corners(scores, same)
        assert auc(corners) == auc(whole)
        assert eer(corners) == pytest.approx(eer(whole), abs=1e-12)
        for threshold, false, true in zip(corners.thresholds, corners.false_matches, corners.true_matches, strict=True):
            assert (scores[~same] >= threshold).sum() == false
            assert (scores[same] >= threshold).sum() == true
        assert (corners.impostor, corners.genuine) == (whole.impostor, whole.genuine)
        assert (np.diff(corners.thresholds) < 0).all()
        assert len(corners.thresholds) <= 2 * len(np.unique(scores[same])) + 2


def test_each_row_is_the_best_threshold_that_keeps_its_far():
    for seed in range(60):
        scores, same = drawn(seed, 1 + seed % 3)
        genuine, impostor = scores[same], scores[~same]
        for row in tar_table(scores, same, (0.05, 0.2, 0.5, 0.9)).rows:
            if len(impostor) < 1 / row.target:
                assert math.isnan(row.tar)
                many = "s" if len(impostor) != 1 else ""
                assert row.reason == (f"{len(impostor)} impostor comparison{many}; FMR {row.target:g} needs at least "
                                      f"{math.ceil(1 / row.target - 1e-9)}")  # fmt: skip
                continue
            candidates = np.unique(np.concatenate([scores, np.nextafter(scores, math.inf)]))
            allowed = [t for t in candidates if (impostor >= t).mean() <= row.target]
            best = min(allowed)
            assert row.tar == (genuine >= best).mean() == (genuine >= row.threshold).mean()
            assert row.far == (impostor >= best).mean() == (impostor >= row.threshold).mean() <= row.target
            assert row.false_accepts == (impostor >= best).sum()
            assert row.threshold == best


def test_rates_that_the_impostors_cannot_support_are_undefined_in_json_too():
    found = json.loads(json.dumps(tar_table(*drawn(0)).to_dict(), allow_nan=False))
    assert [row["target"] for row in found["tar"]] == [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    assert found["tar"][0]["tar"] is None
    assert "needs at least 1000000" in found["tar"][0]["reason"]
    assert found["tar"][0]["tar_nearest"] >= 0


def test_a_far_outside_its_range_and_one_kind_of_comparison_are_errors():
    scores, same = drawn(0)
    with pytest.raises(DataError, match=r"FAR 1\.0 cannot be used"):
        tar_table(scores, same, (0.1, 1.0))
    with pytest.raises(DataError, match="comparisons are genuine"):
        tar_table(scores, np.ones_like(same))
    with pytest.raises(DataError, match="comparisons are impostor"):
        roc_corners(scores, np.zeros_like(same))
