"""Pooling against insightface's own numbers and a plain loop."""

from pathlib import Path

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.templates import pool_templates, positions_of

VECTORS = Path(__file__).parents[1] / "vectors" / "score_ijb_11.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(VECTORS) as file:
        return dict(file)


def pooled_by_loops(features, templates, media, weights=None):
    rows = np.asarray(features, np.float64) * (1.0 if weights is None else np.asarray(weights, np.float64)[:, None])
    result = []
    for template in sorted(set(templates.tolist())):
        total = np.zeros(rows.shape[1])
        for medium in sorted({m for t, m in zip(templates.tolist(), media.tolist(), strict=True) if t == template}):
            total += rows[(templates == template) & (media == medium)].mean(axis=0)
        result.append(total / np.sqrt((total**2).sum()))
    return np.array(result)


def test_templates_are_insightfaces(reference):
    found = pool_templates(reference["img_feats"], reference["templates"], reference["medias"])
    np.testing.assert_array_equal(found.ids, reference["unique_templates"])
    np.testing.assert_allclose(found.features, reference["template_feats"], rtol=0, atol=1e-6)


def test_unit_features_weighted_by_the_detectors_scores_are_insightfaces(reference):
    features = reference["img_feats"].astype(np.float64)
    features /= np.linalg.norm(features, axis=1)[:, None]
    found = pool_templates(features, reference["templates"], reference["medias"], reference["det_scores"])
    np.testing.assert_allclose(found.features[:40], reference["template_feats_det_norm"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("in_order", [True, False])
def test_pooling_equals_a_loop_over_templates_and_media(in_order, monkeypatch):
    monkeypatch.setattr("fairface.scoring.templates._ROWS", 7)  # several blocks, and templates larger than one
    rng = np.random.default_rng(1)
    templates, media = rng.choice([3, 9, 12, 40, 41], 60), rng.choice([5, 6, 100], 60)
    if in_order:
        order = np.lexsort((media, templates))
        templates, media = templates[order], media[order]
    features = rng.standard_normal((60, 6)).astype(np.float32)
    weights = rng.random(60) + 0.1
    found = pool_templates(features, templates, media, weights)
    np.testing.assert_allclose(found.features, pooled_by_loops(features, templates, media, weights), rtol=0, atol=1e-14)
    assert found.ids.tolist() == sorted(set(templates.tolist()))
    assert len(found) == len(found.ids)


def test_a_video_counts_as_much_as_a_photograph():
    features = np.array([[1.0, 0], [0, 2], [0, 4], [0, 0]])
    found = pool_templates(features, np.zeros(4, int), np.array([7, 8, 8, 8]))
    np.testing.assert_allclose(found.features, [np.array([1, 2]) / np.sqrt(5)], atol=1e-15)


def test_the_same_medium_in_two_templates_is_two_media():
    found = pool_templates(np.array([[2.0, 0], [0, 2], [3, 3]]), np.array([1, 2, 2]), np.array([5, 5, 5]))
    np.testing.assert_allclose(found.features, [[1, 0], np.array([1.5, 2.5]) / np.sqrt(8.5)], atol=1e-15)


def test_features_that_are_not_finite_are_named():
    features = np.ones((6, 2), np.float32)
    features[1, 1], features[4, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"2 of 6 features are not finite \(index 1, 4\)"):
        pool_templates(features, np.array([0, 1, 2, 2, 3, 3]), np.zeros(6, int))


def test_what_cannot_be_pooled_is_an_error():
    ones, zeros = np.ones((3, 2)), np.zeros(3, int)
    with pytest.raises(DataError, match="template 4 has length zero"):
        pool_templates(np.array([[1.0, 0], [1, 0], [-1, 0]]), np.array([3, 4, 4]), zeros)
    with pytest.raises(DataError, match=r"3 features but \(2,\) templates"):
        pool_templates(ones, zeros[:2], zeros)
    with pytest.raises(DataError, match=r"3 features but \(4,\) media"):
        pool_templates(ones, zeros, np.zeros(4, int))
    with pytest.raises(DataError, match="must be"):
        pool_templates(ones[0], zeros, zeros)
    with pytest.raises(DataError, match="must be"):
        pool_templates(np.ones((0, 2)), zeros[:0], zeros[:0])
    with pytest.raises(DataError, match="weight of image 1 is not finite"):
        pool_templates(ones, zeros, zeros, np.array([1, np.nan, 1]))


@pytest.mark.parametrize("table", [1, 1 << 24])
def test_templates_are_found_by_their_ids(table, monkeypatch):
    monkeypatch.setattr("fairface.scoring.templates._TABLE", table)
    found = pool_templates(np.eye(3), np.array([30, 10, 20]), np.zeros(3, int))
    assert found.rows(np.array([20, 30, 10, 20])).tolist() == [1, 2, 0, 1]
    with pytest.raises(DataError, match=r"4 templates have no image \(5, 11, 31, …\)"):
        found.rows(np.array([31, 10, 5, 11, 5, 40]))
    with pytest.raises(DataError, match=r"1 template has no image \(-2\)"):
        found.rows(np.array([-2, 10]))
    assert len(found.rows(np.zeros(0, int))) == 0


def test_no_template_is_known_where_there_are_none():
    with pytest.raises(DataError, match=r"1 template has no image \(1\)"):
        positions_of(np.array([1]), np.zeros(0, np.int64))
