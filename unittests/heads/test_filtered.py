"""The class filter: arcface_torch's numbers, a float64 loop, and what it refuses."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import HEADS, build_head, build_margin
from fairface.heads.filtered import FilteredMargin
from unittests.heads.helpers import close, run, unit, vectors
from unittests.heads.test_heads import STATISTICS, rows_of_all_kinds


@pytest.mark.parametrize("hybridize", [False, True])
def test_arcface_torchs_logits(hybridize):
    v = vectors("head_insightface_combined")
    config = HeadConfig(name="cosface", m3=float(v["cos_m"][2]), interclass_filter=float(v["filter_threshold"]))
    head = build_head(config, v["x"].shape[1], len(v["weight"]))
    logits, _, dx, dweight = run(head, v["x"], v["weight"], v["label"], "float64", hybridize=hybridize)
    close(logits, v["filter_cos_logits"], 1e-7)
    assert (v["filter_cos_logits"] == 0).sum() > 3
    assert np.isfinite(dx).all()
    assert np.isfinite(dweight).all()


def test_filtered_cosines_have_no_gradient():
    """Row 0 is nearest to class 1, which the filter takes out: nothing draws it away from there."""
    weight = np.array([[1.0, 0, 0], [0.9, 0.3, 0], [0, 0, 1.0]])
    x, label = np.array([[0.95, 0.2, 0]]), np.array([0])
    for threshold, pushed in ((0.0, True), (0.5, False)):
        head = build_head(HeadConfig(name="norm_softmax", s=4.0, interclass_filter=threshold), 3, 3)
        logits, _, _, dweight = run(head, x, weight, label, "float64")
        assert dweight[1].any() == pushed
        assert dweight[0].any()
        assert dweight[2].any()
        assert (logits[0, 1] == 0) != pushed


@pytest.mark.parametrize("name", sorted(set(HEADS) - {"softmax"}))
def test_every_margin_sees_a_right_angle_where_a_class_is_filtered(name):
    x, weight, label = rows_of_all_kinds()
    statistics = STATISTICS.get(name, ())
    config = HeadConfig(name=name, s=8.0, interclass_filter=0.2)
    ours = run(build_head(config, 6, 5), x, weight, label, "float64", statistics=statistics)[0]
    plain = run(build_head(HeadConfig(name=name, s=8.0), 6, 5), x, weight, label, "float64", statistics=statistics)[0]
    cosine = unit(x) @ unit(weight).T
    filtered = (cosine > 0.2) & (np.arange(5) != label[:, None])
    assert 3 < filtered.sum() < 30
    close(ours[~filtered], plain[~filtered], 1e-12)
    # At a right angle a class gives the same logit in every row that does not take it for a hard one.
    values = np.unique(ours[filtered].round(9))
    assert len(values) <= 2
    assert not np.isclose(ours[filtered], plain[filtered]).all()


def test_what_it_refuses():
    with pytest.raises(ConfigError, match="needs cosines"):
        build_margin(HeadConfig(name="softmax", interclass_filter=0.4))
    for threshold in (0.0, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="it is a cosine"):
            FilteredMargin(build_margin(HeadConfig()), threshold)
    margin = build_margin(HeadConfig(name="adaface", interclass_filter=1.0))
    assert isinstance(margin, FilteredMargin)
    assert margin.uses_length
    assert margin.statistic is not None
    assert not isinstance(build_margin(HeadConfig()), FilteredMargin)
