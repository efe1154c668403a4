from pathlib import Path

import numpy as np

from fairface.embedding.fusion import flip_sum

VECTORS = Path(__file__).parents[1] / "vectors" / "score_adaface_flip_fusion.npz"


def test_direction_and_length_of_the_sum_are_adafaces():
    with np.load(VECTORS) as reference:
        views = reference["features"].astype(np.float64)
        fused = flip_sum(*views)
        length = np.linalg.norm(fused, axis=1, keepdims=True)
        np.testing.assert_allclose(fused / length, reference["fused"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(fused / length, reference["pre_norm_vector_add_fused"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(length, reference["fused_norm"], rtol=1e-6)
