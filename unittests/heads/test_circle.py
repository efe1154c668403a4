"""Circle losses over classes against the fair-face system's numbers and a float64 loop."""

import math

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import build_head
from unittests.heads.helpers import close, run, unit, vectors

NAMES = ["softmax_circle", "arc_circle", "fix_arc_circle"]
T = 0.65 * math.pi


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_fair_face_system(name, hybridize):
    v = vectors("loss_paranoidai_class")
    head = build_head(HeadConfig(name=name), v["x"].shape[1], len(v["weight"]))
    gamma, margin, theta = v[f"{name}_loss_params"][4:7]
    assert head.margin.s == gamma
    kept = head.margin.curves.margin if name == "softmax_circle" else head.margin.curves.theta_margin
    assert kept == pytest.approx(margin or theta)
    logits, _, dx, dweight = run(head, v["x"], v["weight"], v["label"], hybridize=hybridize)
    close(logits, v[f"{name}_loss_logits"], 1e-5)
    close(dx, v[f"{name}_loss_grad_x"], 1e-4)
    close(dweight, v[f"{name}_loss_grad_weight"], 1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_curves_over_the_angle(name):
    v = vectors("loss_paranoidai_theta_grid")
    for label in (0, 1):
        logits = run(build_head(HeadConfig(name=name), 2, 2), v["x"], v["weight"], np.full(90, label))[0]
        close(logits, v[f"{name}_loss_logits_label{label}"], 1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_references_logged_loss_has_a_floor_and_ours_has_none(name):
    """It adds 1e-28 inside the logarithm: a row's loss ends at 64.5 and its gradient (through MakeLoss) at 0."""
    v = vectors("loss_paranoidai_class")
    head = build_head(HeadConfig(name=name), v["x"].shape[1], len(v["weight"]))
    _, rows, dx, _ = run(head, v["x"], v["weight"], v["label"])
    floored = -np.log(np.exp(-rows.astype(float)) + 1e-28).mean()
    assert floored == pytest.approx(float(v[f"{name}_loss_ce_loss"][0]), rel=1e-3)
    beyond = rows > 70
    theirs = v[f"{name}_loss_grad_x_celoss"]
    if beyond.any():
        assert rows.mean() > floored
        np.testing.assert_allclose(theirs[beyond], 0, atol=1e-3)
        assert (np.abs(dx[beyond]).max(1) > 0.05).all()
    near = rows < 55
    np.testing.assert_allclose(dx[near], theirs[near], atol=2e-3 * np.abs(dx).max())


def test_smoothing_spreads_over_all_classes_and_changes_the_loss_too():
    """MXNet's SoftmaxOutput spreads over the C - 1 other classes, in the gradient only: 0.1 is our 0.1 C / (C - 1)."""
    v = vectors("loss_paranoidai_class")
    classes = len(v["weight"])
    head = build_head(HeadConfig(name="arc_circle"), v["x"].shape[1], classes)
    _, rows, dx, _ = run(head, v["x"], v["weight"], v["label"], smoothing=0.1 * classes / (classes - 1))
    close(dx, v["arc_circle_loss_smooth_grad_x"], 1e-4)
    plain = run(head, v["x"], v["weight"], v["label"])
    assert np.abs(plain[2] - dx).max() > 0.01
    assert abs(rows.mean() - plain[1].mean()) > 0.1
    np.testing.assert_array_equal(v["arc_circle_loss_smooth_ce_loss"], v["arc_circle_loss_ce_loss"])


def softmax_circle(cosine, own):
    p = (cosine + 1) / 2
    return max(0, 1.25 - p) * (p - 0.75) if own else max(0, p + 0.25) * (p - 0.25)


def arc_circle(cosine, own):
    theta = math.acos(cosine)
    if own:
        return max(0, theta + math.pi - T) * math.cos(min(math.pi, theta + T))
    return max(0, T - theta) * math.cos(min(math.pi, theta + math.pi - T))


def fix_arc_circle(cosine, own):
    theta = math.acos(cosine)
    if own:
        return max(0, theta + math.pi - T) * math.cos(min(math.pi, theta + T)) + 0.1 * (2 * math.pi - 2 * T)
    return max(0, 2 * math.pi - T - theta) * math.cos(max(0, theta - T)) - 0.1 * (2 * math.pi - 2 * T)


@pytest.mark.parametrize("curve", [softmax_circle, arc_circle, fix_arc_circle], ids=lambda f: f.__name__)
def test_logits_equal_a_float64_loop(curve):
    rng = np.random.default_rng(4)
    x, weight, label = rng.normal(size=(20, 3)), rng.normal(size=(6, 3)), rng.integers(-1, 6, 20)
    logits = run(build_head(HeadConfig(name=curve.__name__, s=10.0), 3, 6), x, weight, label, "float64")[0]
    cosine = unit(x) @ unit(weight).T
    expected = [[10 * curve(cosine[i, j], j == label[i]) for j in range(6)] for i in range(20)]
    np.testing.assert_allclose(logits, expected, atol=1e-9)


def test_only_the_corrected_curve_falls_with_the_angle_everywhere():
    v = vectors("loss_paranoidai_theta_grid")
    others = {n: run(build_head(HeadConfig(name=n), 2, 2), v["x"], v["weight"], np.full(90, 1))[0][:, 0] for n in NAMES}
    assert np.degrees(v["theta"][others["arc_circle"].argmin()]) == pytest.approx(67, abs=2)
    assert (np.diff(others["fix_arc_circle"]) <= 1e-4).all()
    assert (np.diff(others["softmax_circle"]) <= 1e-4).all()
