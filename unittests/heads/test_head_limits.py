"""Every head's own values, the range of every option, and what a margin does at the ends of the angle."""

import math

import numpy as np
import pytest

from fairface.config.schema import HeadConfig, TripletConfig
from fairface.errors import ConfigError
from fairface.heads import HEADS, build_head, build_margin
from fairface.heads.angle import angle
from fairface.heads.arc_circle import THETA_MARGIN, ArcCircle, FixedArcCircle
from fairface.heads.base import Target
from fairface.heads.loss import CrossEntropy
from fairface.heads.margin import AngularMargin
from fairface.heads.mv_softmax import MVSoftmaxMargin
from fairface.heads.options import Option, margins_of, options_of
from fairface.heads.softmax import NoMargin
from fairface.heads.svx import SVXMargin
from fairface.heads.triplets import TRIPLET_LOSSES, build_triplet_loss
from fairface.heads.triplets.arc_circle import ArcCircleTriplet, FixedArcCircleTriplet
from fairface.mx import nd

# name: m1, m2, m3, what the target gets beyond pi, how far cosines stay from 1; of margins on the angle
ANGULAR = {
    "norm_softmax": (1.0, 0.0, 0.0, "cos", 0.0),
    "arcface": (1.0, 0.5, 0.0, "cos", 0.0),
    "arcface_linear": (1.0, 0.5, 0.0, "linear", 0.0),
    "arcface_easy": (1.0, 0.5, 0.0, "easy", 0.0),
    "arcface_clamped": (1.0, 0.5, 0.0, "clip", 1e-4),
    "cosface": (1.0, 0.0, 0.35, "cos", 0.0),
    "cosface_clamped": (1.0, 0.0, 0.4, "cos", 1e-4),
    "combined": (1.0, 0.3, 0.2, "cos", 0.0),
    "svx": (1.0, 0.5, 0.0, "cos", 0.0),
    "mv_am": (1.0, 0.0, 0.35, "cos", 0.0),
    "mv_arc": (1.0, 0.35, 0.0, "cos", 0.0),
    "mv_am_easy": (1.0, 0.0, 0.35, "cos", 0.0),
    "mv_arc_easy": (1.0, 0.35, 0.0, "cos", 0.0),
    "curricularface": (1.0, 0.5, 0.0, "linear", 0.0),
}
RESHAPES = {"svx", "mv_am", "mv_arc", "mv_am_easy", "mv_arc_easy", "softmax_circle", "arc_circle", "fix_arc_circle",
            "curricularface"}  # fmt: skip
# head and option: default, lowest and highest value
OPTIONS = {
    ("svx", "mask"): (1.2, 1.0, 10.0),
    ("mv_am", "mask"): (1.12, 1.0, 10.0),
    ("mv_arc_easy", "mask"): (1.12, 1.0, 10.0),
    ("softmax_circle", "margin"): (0.25, 0.0, 1.0),
    ("arc_circle", "theta_margin"): (0.65 * math.pi, 0.01, 3.14),
    ("fix_arc_circle", "theta_margin"): (0.65 * math.pi, 0.01, 3.14),
    ("adaface", "m"): (0.4, 0.0, 1.5),
    ("adaface", "h"): (0.333, 0.0, 100.0),
    ("adaface", "t_alpha"): (0.01, 0.0, 1.0),
    ("curricularface", "alpha"): (0.1, 0.0, 1.0),
}


def value_of(margin, option):
    return getattr(getattr(margin, "curves", margin), option)


@pytest.mark.parametrize("name", sorted(HEADS))
def test_own_margins(name):
    margin = build_margin(HeadConfig(name=name))
    assert margin.s == (1.0 if name == "softmax" else 64.0)
    assert build_margin(HeadConfig(name=name, s=30.0)).s == (1.0 if name == "softmax" else 30.0)
    if name in ANGULAR:
        assert (margin.m1, margin.m2, margin.m3, margin.beyond_pi, margin.clamp) == ANGULAR[name]
        for number, own in enumerate(ANGULAR[name][:3], 1):
            given = HeadConfig(name=name, **{f"m{number}": 0.7})
            if own != (1.0 if number == 1 else 0.0) or name in ("combined", "svx"):
                if number > 1 or margin.beyond_pi == "cos":
                    assert getattr(build_margin(given), f"m{number}") == 0.7
            else:
                with pytest.raises(ConfigError, match=f"head.m{number} is 0.7, but {name} has no m{number}"):
                    build_margin(given)
    assert margin.uses_label == (name not in ("softmax", "norm_softmax"))
    assert margin.normalises == (name != "softmax")
    assert margin.uses_length == (name == "adaface")
    assert margin.reshapes == (name in RESHAPES)
    assert (margin.statistic is not None) == (name in ("adaface", "curricularface"))
    assert getattr(margin, "easy", False) == name.endswith("_easy") or name == "arcface_easy"


@pytest.mark.parametrize(("head", "option"), OPTIONS)
def test_own_options_and_their_ranges(head, option):
    default, low, high = OPTIONS[head, option]
    assert value_of(build_margin(HeadConfig(name=head)), option) == pytest.approx(default)
    for value in (low, high):
        built = build_margin(HeadConfig(name=head, options={option: value}))
        assert value_of(built, option) == value
    for value in (low - 0.005, high + 0.005):
        with pytest.raises(ConfigError, match=rf"head\.options\.{option}"):
            build_margin(HeadConfig(name=head, options={option: value}))


def test_heads_made_without_a_configuration():
    assert (SVXMargin().mask, SVXMargin().s, SVXMargin().m2) == (1.2, 64.0, 0.0)
    assert (MVSoftmaxMargin().mask, MVSoftmaxMargin().easy) == (1.12, False)
    plain = AngularMargin()
    assert (plain.s, plain.m1, plain.m2, plain.m3, plain.beyond_pi, plain.clamp) == (64.0, 1.0, 0.0, 0.0, "cos", 0.0)
    assert (NoMargin().s, ArcCircle().theta_margin, FixedArcCircle().offset) == (1.0, THETA_MARGIN, 0.0)
    fixed = build_margin(HeadConfig(name="fix_arc_circle", options={"theta_margin": 2.0})).curves
    assert fixed.offset == pytest.approx(0.2 * (math.pi - 2.0))


def test_names_and_options_that_are_not_known():
    for name, said in (
        ("arcfase", "head.name is 'arcfase', which is not a known head; did you mean arcface?"),
        ("zzz", f"head.name is 'zzz', which is not a known head; known: {', '.join(HEADS)}"),
    ):
        with pytest.raises(ConfigError) as caught:
            build_margin(HeadConfig(name=name))
        assert str(caught.value) == said
    for name, option, said in (
        ("svx", "mark", "head.options: svx has no option 'mark'; did you mean mask?"),
        ("svx", "zzz", "head.options: svx has no option 'zzz'; it has mask: leave it out"),
        ("arcface", "mask", "head.options: arcface has no option 'mask'; it has none: leave it out"),
        ("softmax", "mask", "head.options: softmax has no option 'mask'; it has none: leave it out"),
    ):
        with pytest.raises(ConfigError) as caught:
            build_margin(HeadConfig(name=name, options={option: 1.0}))
        assert str(caught.value) == said
    for name, said in (
        ("softmax", "head.m2 is 0.5, but softmax has no m2 (it has no margins m1, m2, m3); leave it out"),
        ("cosface", "head.m2 is 0.5, but cosface has no m2 (it has m3); leave it out"),
    ):
        with pytest.raises(ConfigError) as caught:
            build_margin(HeadConfig(name=name, m2=0.5))
        assert str(caught.value) == said
    with pytest.raises(ConfigError, match=r"arc_circle has no m1 \(it has no margins"):
        build_margin(HeadConfig(name="arc_circle", m1=1.5))
    assert margins_of(HeadConfig(name="x", m1=2.0), {"m1": 3.0, "m3": 0.4}) == {"m1": 2.0, "m2": 0.0, "m3": 0.4}
    known = {"a": Option(1.0, 0.0, 3.0), "b": Option(5.0, 5.0, 5.0)}
    assert options_of(HeadConfig(name="x", options={"a": 2.0}), known) == {"a": 2.0, "b": 5.0}


@pytest.mark.parametrize(
    ("margins", "fits"),
    [
        ({"m1": 10.0}, True), ({"m1": 10.01}, False), ({"m1": 0.0}, False), ({"m1": 1e-6}, True), ({"m1": -1.0}, False),
        ({"m2": 0.0}, True), ({"m2": 3.14159}, True), ({"m2": math.pi}, False), ({"m2": -0.1}, False),
        ({"m3": 0.0}, True), ({"m3": 2.0}, True), ({"m3": 2.01}, False), ({"m3": -0.1}, False),
        ({"m1": math.nan}, False),
    ],
)  # fmt: skip
def test_margins_have_bounds(margins, fits):
    if fits:
        AngularMargin(**margins)
        return
    with pytest.raises(ConfigError, match=r"m1 must be above 0, up to 10, m2 in 0\.\.3\.14, m3 in 0\.\.2"):
        AngularMargin(**margins)


@pytest.mark.parametrize("beyond", ["linear", "easy", "cos", "clip"])
def test_what_is_defined_for_every_m1(beyond):
    AngularMargin(beyond_pi=beyond)
    if beyond in ("cos", "clip"):
        AngularMargin(m1=1.5, beyond_pi=beyond)
        return
    with pytest.raises(
        ConfigError, match=f"beyond_pi {beyond} is defined for m1 = 1 only, m1 is 1.5; take cos or clip"
    ):
        AngularMargin(m1=1.5, beyond_pi=beyond)
    with pytest.raises(ConfigError, match="beyond_pi is 'up'; it can be: cos, clip, linear, easy"):
        AngularMargin(beyond_pi="up")


@pytest.mark.parametrize("s", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_is_above_0(s):
    with pytest.raises(ConfigError, match=r"head\.s is .*; the scale must be above 0"):
        AngularMargin(s)
    assert AngularMargin(1e-9).s == 1e-9


@pytest.mark.parametrize(
    ("embedding", "classes", "told"),
    [(0, 1, "1 class and embeddings of 0 values"), (1, 0, "0 classes and embeddings of 1 value"),
     (-1, 5, "5 classes and embeddings of -1 values")],
)  # fmt: skip
def test_a_head_needs_values_and_classes(embedding, classes, told):
    said = f"a head for {told}; both must be above 0"
    with pytest.raises(ConfigError, match=said):
        build_head(HeadConfig(), embedding, classes)
    assert build_head(HeadConfig(), 1, 1).weight.shape == (1, 1)


def test_weights_start_as_insightfaces_do():
    head = build_head(HeadConfig(), 200, 300)
    head.initialize()
    weight = head.weight.data().asnumpy()
    assert weight.std() == pytest.approx(0.01, rel=0.02)
    assert abs(weight.mean()) < 0.0005


@pytest.mark.parametrize("smoothing", [-0.01, 1.0, 1.5])
def test_smoothing_is_a_share(smoothing):
    with pytest.raises(ConfigError, match=rf"head\.label_smoothing is {smoothing}; it must be 0 or more and below 1"):
        CrossEntropy(smoothing)
    logits, label = nd.array([[1.0, 2.0, 4.0]]), nd.array([1])
    plain = CrossEntropy()(logits, label).asscalar()
    log_p = np.log(np.exp([1.0, 2.0, 4.0]) / np.exp([1.0, 2.0, 4.0]).sum())
    assert plain == pytest.approx(-log_p[1], rel=1e-6)
    assert CrossEntropy(0.9)(logits, label).asscalar() == pytest.approx(-0.1 * log_p[1] - 0.9 * log_p.mean(), rel=1e-6)


def test_angles_are_held_a_millionth_from_the_ends():
    cosines = nd.array([-2.0, -1.0, 0.5, 1.0, 2.0], dtype="float64")
    end = math.acos(1 - 1e-6)
    expected = [math.pi - end, math.pi - end, math.acos(0.5), end, end]
    np.testing.assert_allclose(angle(nd, cosines).asnumpy(), expected, atol=1e-4)  # MXNet's bounds are float32


@pytest.mark.parametrize("clamp", [0.0, 1e-4, 0.1])
@pytest.mark.parametrize("cosine", [-1.0, -0.95, 0.3, 0.95, 1.0])
def test_a_margin_near_the_ends_of_the_angle(clamp, cosine):
    """The sine is held at 0.001; with a clamp the cosines of all classes stay so far from 1."""
    s, m2 = 8.0, 0.5
    margin = AngularMargin(s, m2=m2, clamp=clamp)
    one = nd.ones((1, 1), dtype="float64")
    target = Target(one * cosine, one, nd.array([0]), nd.array([[1.0, 0.0]], dtype="float64"))
    logits = margin(nd, nd.array([[cosine * s, -s]], dtype="float64"), target, None).asnumpy()[0]
    held = min(1 - clamp, max(clamp - 1, cosine))
    sine = math.sqrt(max(1e-6, 1 - held**2))
    assert logits[0] == pytest.approx(s * (held * math.cos(m2) - sine * math.sin(m2)), rel=1e-5)
    assert logits[1] == pytest.approx(-s * (1 - clamp), rel=1e-6)
    assert margin(nd, nd.array([[s]], dtype="float64"), None, None).asscalar() == pytest.approx(s * (1 - clamp))


def test_circle_curves_by_their_definitions():
    cosines = np.linspace(-0.999, 0.999, 41)
    column = nd.array(cosines, dtype="float64")
    theta = np.arccos(cosines)
    for margin in (0.3, 2.0, 3.0):
        plain, fixed = ArcCircle(margin), FixedArcCircle(margin, 0.7)
        turned = np.cos(np.clip(theta + margin, 0, np.pi))
        np.testing.assert_allclose(plain.positive(nd, column).asnumpy(), (theta + np.pi - margin) * turned, rtol=1e-9)
        away = np.maximum(0, margin - theta) * np.cos(np.clip(theta + np.pi - margin, 0, np.pi))
        np.testing.assert_allclose(plain.negative(nd, column).asnumpy(), away, atol=1e-12)
        np.testing.assert_allclose(
            fixed.positive(nd, column).asnumpy(), (theta + np.pi - margin) * turned + 0.7, rtol=1e-9, atol=1e-12
        )
        weight = 2 * np.pi - margin - theta
        np.testing.assert_allclose(
            fixed.negative(nd, column).asnumpy(), weight * np.cos(np.clip(theta - margin, 0, np.pi)) - 0.7, atol=1e-12
        )
    p = (cosines + 1) / 2
    softmax = build_margin(HeadConfig(name="softmax_circle", options={"margin": 0.3})).curves
    np.testing.assert_allclose(softmax.positive(nd, column).asnumpy(), (1.3 - p) * (p - 0.7), atol=1e-12)
    np.testing.assert_allclose(softmax.negative(nd, column).asnumpy(), (p + 0.3) * (p - 0.3), atol=1e-12)
    for wrong in (0.0, math.pi, -1.0, 4.0):
        with pytest.raises(ConfigError, match=f"theta_margin is {wrong}; it must lie between 0 and pi, both excluded"):
            ArcCircle(wrong)
    for right in (1e-3, math.pi - 1e-3):
        assert FixedArcCircle(right).theta_margin == right


@pytest.mark.parametrize(
    ("name", "alpha"),
    [("triplet", 0.3), ("angular_triplet", 0.35), ("arc_circle_triplet", 0.35), ("fix_arc_circle_triplet", 0.3)],
)
def test_triplet_losses_have_widths_of_their_own(name, alpha):
    plain = TripletConfig(loss=name)
    assert build_triplet_loss(plain).alpha == alpha
    given = build_triplet_loss(TripletConfig(loss=name, alpha=0.8, gamma=9.0, theta_margin=1.5))
    assert given.alpha == 0.8
    if "circle" in name:
        built = build_triplet_loss(plain)
        assert (built.gamma, built.curves.theta_margin) == (plain.gamma, plain.theta_margin)
        assert (given.gamma, given.curves.theta_margin) == (9.0, 1.5)
    assert list(TRIPLET_LOSSES) == ["triplet", "angular_triplet", "arc_circle_triplet", "fix_arc_circle_triplet"]
    with pytest.raises(ConfigError, match=r"triplet\.loss is 'x'; it can be: triplet, angular_triplet, arc_circle"):
        build_triplet_loss(TripletConfig(loss="x"))


@pytest.mark.parametrize(("loss", "alpha"), [(ArcCircleTriplet, 0.35), (FixedArcCircleTriplet, 0.3)])
def test_curve_triplets_by_default(loss, alpha):
    made = loss()
    assert (made.alpha, made.gamma, made.curves.theta_margin) == (alpha, 64.0, THETA_MARGIN)
    assert loss(math.pi).alpha == math.pi
    for gamma in (0.0, -1.0, math.inf):
        with pytest.raises(ConfigError, match=r"triplet\.gamma is .*; the scale must be above 0"):
            loss(gamma=gamma)
    with pytest.raises(ConfigError, match=r"it must lie above 0 and not above 3\.142"):
        loss(3.15)
