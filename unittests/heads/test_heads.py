"""What holds for every head: exact gradients, finite values, recognition without margin, options that are checked."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import HEADS, build_head, build_margin
from fairface.heads.adaface import AdaFaceMargin
from fairface.heads.arc_circle import ArcCircle
from fairface.mx import nd
from unittests.heads.helpers import forward, run, slopes, start_of, unit

STATISTICS = {"adaface": (2.0, 0.9), "curricularface": (0.3,)}


def rows_of_all_kinds():
    """Rows near their class, far from it, mistaken for another, without label; 6-D, 5 classes."""
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(10, 6)), rng.normal(size=(5, 6))
    label = np.array([0, 1, 2, 3, 4, 0, 1, 2, 3, -1])
    x[5] = -weight[0] + 0.2 * rng.normal(size=6)  # beyond pi with a margin
    x[6] = weight[1] + 0.1 * rng.normal(size=6)
    x[7] = weight[3] + 0.3 * rng.normal(size=6)  # mistaken
    x[8] = 3 * weight[3] + 0.5 * rng.normal(size=6)
    return x, weight, label


@pytest.mark.parametrize("name", sorted(HEADS))
def test_gradients_are_exact_with_label_smoothing(name):
    x, weight, label = rows_of_all_kinds()
    head = build_head(HeadConfig(name=name, s=8.0), 6, 5)
    statistics = STATISTICS.get(name, ())
    _, _, dx, dweight = run(head, x, weight, label, "float64", statistics=statistics, smoothing=0.1)
    head.hybridize(False)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)

    def loss(x_, weight_):
        if name == "adaface":  # no gradient flows through the length of an embedding: it is held
            x_ = unit(x_) * lengths
        return forward(head, x_, weight_, label, statistics, smoothing=0.1)

    expected = slopes(lambda array: loss(array, weight), x, range(0, x.size, 6))
    np.testing.assert_allclose(dx.ravel()[::6], expected, rtol=1e-5, atol=1e-7)
    expected = slopes(lambda array: loss(x, array), weight, range(0, weight.size, 5))
    np.testing.assert_allclose(dweight.ravel()[::5], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", sorted(HEADS))
@pytest.mark.parametrize("hybridize", [False, True])
def test_rows_on_their_class_centre_have_finite_gradients(name, hybridize):
    x = np.eye(4, dtype=np.float32)
    weight = np.stack([x[0], -x[1], x[2], x[3]])
    head = build_head(HeadConfig(name=name), 4, 4)
    for result in run(head, x, weight, [0, 1, 2, 3], hybridize=hybridize, statistics=start_of(head)):
        assert np.isfinite(result).all()


@pytest.mark.parametrize("name", sorted(HEADS))
def test_zero_embedding_gives_finite_results(name):
    head = build_head(HeadConfig(name=name), 4, 3)
    x, weight = np.zeros((2, 4), np.float32), np.ones((3, 4), np.float32)
    for result in run(head, x, weight, [0, 1], statistics=start_of(head)):
        assert np.isfinite(result).all()


@pytest.mark.parametrize("name", sorted(HEADS))
def test_is_correct_leaves_the_margin_aside(name):
    rng = np.random.default_rng(2)
    weight, label = rng.normal(size=(9, 6)).astype(np.float32), rng.integers(0, 9, 40)
    x = (weight[label] + 1.2 * rng.normal(size=(40, 6))).astype(np.float32)
    label[:3] = -1
    head = build_head(HeadConfig(name=name), 6, 9)
    head.initialize()
    head.weight.set_data(nd.array(weight))
    target = nd.array(label, dtype="int32")
    logits = head(nd.array(x), target, *(nd.array([value]) for value in start_of(head)))
    plain = x @ weight.T if name == "softmax" else unit(x) @ unit(weight).T
    expected = plain.argmax(1) == label
    assert 0 < expected.sum() < 37
    np.testing.assert_array_equal(head.is_correct(nd.array(x), logits, target).asnumpy(), expected)


@pytest.mark.parametrize("name", ["arcface", "svx", "mv_am", "mv_arc_easy", "curricularface", "adaface"])
def test_rows_without_label_are_plain_cosines(name):
    x, weight, _ = rows_of_all_kinds()
    head = build_head(HeadConfig(name=name, s=8.0), 6, 5)
    logits = run(head, x, weight, np.full(len(x), -1), "float64", statistics=start_of(head))[0]
    np.testing.assert_allclose(logits, 8 * unit(x) @ unit(weight).T, atol=1e-9)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (HeadConfig(name="curricular"), "did you mean curricularface"),
        (HeadConfig(name="arc_circle", s=-1.0), "head.s is -1.0"),
        (HeadConfig(name="arc_circle", m2=0.5), "arc_circle has no m2"),
        (HeadConfig(name="adaface", m2=0.4), "adaface has no m2"),
        (HeadConfig(name="mv_am", m2=0.4), "mv_am has no m2 (it has m3)"),
        (HeadConfig(name="mv_arc", m1=2.0), "mv_arc has no m1"),
        (HeadConfig(name="curricularface", m3=0.1), "curricularface has no m3"),
        (HeadConfig(name="svx", m2=3.15), "m2 in 0..3.14"),
        (HeadConfig(name="svx", options={"mask": 0.9}), "head.options.mask is 0.9; it must lie between 1 and 10"),
        (HeadConfig(name="mv_arc", options={"mask": float("nan")}), "head.options.mask is nan"),
        (HeadConfig(name="adaface", options={"h": -1.0}), "head.options.h is -1.0; it must lie between 0 and 100"),
        (HeadConfig(name="adaface", options={"m": 2.0}), "head.options.m is 2.0; it must lie between 0 and 1.5"),
        (HeadConfig(name="adaface", options={"t_alfa": 0.1}), "did you mean t_alpha?"),
        (HeadConfig(name="adaface", options={"t_alpha": 1.5}), "between 0 and 1"),
        (HeadConfig(name="curricularface", options={"alpha": -0.1}), "head.options.alpha is -0.1"),
        (HeadConfig(name="softmax_circle", options={"margin": 1.5}), "head.options.margin is 1.5"),
        (HeadConfig(name="arc_circle", options={"theta_margin": 3.2}), "head.options.theta_margin is 3.2"),
        (HeadConfig(name="fix_arc_circle", options={"margin": 1.0}), "did you mean theta_margin?"),
        (HeadConfig(name="softmax_circle", options={"q": 1.0}), "it has margin"),
        (HeadConfig(name="cosface", options={"mask": 1.2}), "cosface has no option 'mask'; it has none"),
    ],
)
def test_bad_configurations_are_named(config, said):
    with pytest.raises(ConfigError) as caught:
        build_head(config, 8, 4)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_angles_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="theta_margin is 4"):
        ArcCircle(4.0)


def test_heads_keep_what_the_configuration_says():
    margin = build_margin(HeadConfig(name="adaface", s=32.0, options={"m": 0.5, "h": 0.0, "t_alpha": 0.5}))
    assert isinstance(margin, AdaFaceMargin)
    assert (margin.s, margin.m, margin.h, margin.t_alpha) == (32.0, 0.5, 0.0, 0.5)
    margin = build_margin(HeadConfig(name="svx", m1=1.2, m2=0.3, m3=0.1, options={"mask": 1.5}))
    assert (margin.m1, margin.m2, margin.m3, margin.mask) == (1.2, 0.3, 0.1, 1.5)
    assert build_margin(HeadConfig(name="curricularface", m2=0.4)).m2 == 0.4
    assert build_margin(HeadConfig(name="mv_am")).m3 == 0.35
