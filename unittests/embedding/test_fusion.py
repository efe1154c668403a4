from pathlib import Path

import numpy as np
import pytest

from fairface.embedding.fusion import FUSIONS, flip_sum, fused, unit

VECTORS = Path(__file__).parents[1] / "vectors" / "score_adaface_flip_fusion.npz"


def test_direction_and_length_of_the_sum_are_adafaces():
    with np.load(VECTORS) as reference:
        views = reference["features"].astype(np.float64)
        fused = flip_sum(*views)
        length = np.linalg.norm(fused, axis=1, keepdims=True)
        np.testing.assert_allclose(fused / length, reference["fused"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(fused / length, reference["pre_norm_vector_add_fused"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(length, reference["fused_norm"], rtol=1e-6)


@pytest.mark.parametrize("method", FUSIONS)
def test_every_fusion_is_adafaces(method):
    with np.load(VECTORS) as reference:
        views = reference["features"].astype(np.float64)
        found, expected = fused(method, *views), reference[f"{method}_fused"]
    scale = np.linalg.norm(found, axis=1, keepdims=True) if method == "pre_norm_vector_add" else 1.0
    np.testing.assert_allclose(found / scale, expected, rtol=0, atol=1e-6)


def test_one_view_keeps_its_length_only_where_lengths_weigh():
    rows = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(fused("pre_norm_vector_add", rows), rows)
    for method in ("average", "norm_weighted_avg", "concat"):
        np.testing.assert_allclose(fused(method, rows), [[0.6, 0.8], [0, 0]], atol=1e-15)
    assert unit(rows.astype(np.float32)).dtype == np.float32
