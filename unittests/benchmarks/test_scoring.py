"""benchmarks/scoring.py on a small world: the plain loops are right by other libraries, and differences are found."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score


def test_both_sides_and_their_steps_are_told(benchmarks, result_of):
    result = result_of("scoring")
    assert result["same_results"] is True
    for task, steps in {"1:1": {"pooling", "pairs", "TAR"}, "1:N": {"pooling", "search"},
                        "10-fold": {"distances", "accuracy", "VAL"}}.items():  # fmt: skip
        for side in ("ours", "plain loops"):
            figures = result["results"][f"{task}, {side}"]
            assert set(figures["steps"]) == steps
            assert 0 < figures["range"][0] <= figures["seconds"] <= figures["range"][1]
            assert figures["peak_mb"] > 10
        spread = result["ratio_spread"][f"{task}, ours / plain loops"]
        ours, loop = (result["results"][f"{task}, {side}"]["range"] for side in ("ours", "plain loops"))
        assert loop[0] / ours[1] <= spread["min"] <= spread["max"] <= loop[1] / ours[0]


def test_results_that_differ_are_an_error(benchmarks):
    from scoring import check_same

    from fairface.errors import FairfaceError

    check_same("1:1", {"auc": 0.5, "tar": [0.25, None]}, {"auc": 0.5 + 1e-12, "tar": [0.25, None]})
    with pytest.raises(FairfaceError, match=r"1:1: tar 1 is 0\.3, but 0\.4 by plain loops"):
        check_same("1:1", {"tar": [0.1, 0.3]}, {"tar": [0.1, 0.4]})


def test_the_loops_and_the_data_are_what_they_say(benchmarks):
    import scoring_loops as loops
    from scoring_data import IjbSizes, Pairs, ijb_like, verification_pairs

    data = ijb_like(IjbSizes(900, 30, 90, Pairs(1500, 90), 12))
    assert np.unique(data.templates).tolist() == list(range(120))
    assert (data.a.max(), data.b.min()) == (29, 30)
    assert ijb_like(IjbSizes(900, 30, 90, Pairs(1500, 90, True), 12)).a.max() > 29
    assert data.same.sum() >= 90
    templates = loops.pool(data.features, data.templates, data.media)
    np.testing.assert_allclose(np.linalg.norm(templates, axis=1), 1)
    scores = loops.pair_scores(templates, data.a, data.b)
    np.testing.assert_allclose(scores, (templates @ templates.T)[data.a, data.b], atol=1e-12)
    area, tar = loops.tar_at_nearest_far(scores, data.same)
    assert area == pytest.approx(roc_auc_score(data.same, scores))
    assert tar == sorted(tar)
    embeddings, same = verification_pairs(100, 8)
    unit = embeddings / np.linalg.norm(embeddings, axis=1)[:, None]
    cosine = (unit[0::2] * unit[1::2]).sum(axis=1)
    np.testing.assert_allclose(loops.distances(embeddings), 2 - 2 * cosine, atol=1e-12)
    assert 0 < same.sum() < 100
