"""Margin heads against the references' numbers, and against a float64 loop of their own."""

import math

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import build_head
from fairface.heads.classifier import Classifier
from fairface.heads.margin import AngularMargin
from unittests.heads.helpers import close, run, vectors


def reference_logits(x, weight, label, s, m1, m2, m3, beyond="cos"):
    """A plain float64 loop."""
    x, weight = x.astype(float), weight.astype(float)
    out = np.empty((len(x), len(weight)))
    for i, row in enumerate(x):
        for j, w in enumerate(weight):
            cosine = min(1.0, max(-1.0, row @ w / np.linalg.norm(row) / np.linalg.norm(w)))
            if j == label[i]:
                theta = math.acos(cosine)
                angle = m1 * theta + m2
                value = math.cos(angle)
                if beyond == "clip" and angle > math.pi:
                    value = -1.0
                elif beyond == "linear" and angle > math.pi:
                    value = cosine - m2 * math.sin(m2)
                elif beyond == "easy" and theta > math.pi / 2:
                    value = cosine
                cosine = value - m3
            out[i, j] = s * cosine
    return out


def mean_loss(logits, label):
    shifted = logits - logits.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -sum(log_p[i, y] for i, y in enumerate(label) if y >= 0) / len(label)


@pytest.mark.parametrize("name", ["arcface", "cosface", "combined"])
@pytest.mark.parametrize("hybridize", [False, True])
def test_presets_equal_the_fair_face_system(name, hybridize):
    v = vectors("loss_paranoidai_class")
    s, m1, m2, m3 = v[f"{name}_params"][:4]
    head = build_head(HeadConfig(name=name), v["x"].shape[1], len(v["weight"]))
    margin = head.margin
    assert (margin.s, margin.m1, margin.m2, margin.m3) == (s, m1, m2, m3)  # presets hold the system's own values
    logits, _, dx, dweight = run(head, v["x"], v["weight"], v["label"], hybridize=hybridize)
    close(logits, v[f"{name}_logits"], 1e-5)
    close(dx, v[f"{name}_grad_x"], 1e-4)
    close(dweight, v[f"{name}_grad_weight"], 1e-4)
    # The reference's logged loss adds 1e-28 inside the logarithm; its gradient (SoftmaxOutput) does not.
    shifted = np.exp(logits.astype(float) - logits.max(1, keepdims=True))
    p = (shifted / shifted.sum(1, keepdims=True))[np.arange(len(logits)), v["label"]]
    assert -np.log(p + 1e-28).mean() == pytest.approx(float(v[f"{name}_ce_loss"][0]), rel=1e-4)


def test_insightface_cosface_equals_ours_with_unlabeled_rows():
    v = vectors("head_insightface_combined")
    head = Classifier(32, 17, AngularMargin(64.0, m3=0.35))
    logits, _, dx, dweight = run(head, v["x"], v["weight"], v["label"])
    close(logits, v["cos_logits"], 1e-5)
    close(dx, v["cos_grad_x"], 1e-4)
    close(dweight, v["cos_grad_weight"], 1e-4)
    logits, rows, _, _ = run(Classifier(32, 17, AngularMargin(64.0, m3=0.35)), v["x"], v["weight"], v["label_partial"])
    close(logits, v["cos_partial_logits"], 1e-5)
    assert (rows[v["label_partial"] < 0] == 0).all()
    assert (rows[v["label_partial"] >= 0] > 0).any()


def test_insightface_arcface_has_our_logits_but_another_gradient():
    """insightface computes the margin without gradient: d logit / d cos is s, where the true factor is
    s * sin(theta + m) / sin(theta). Ours is exact, so the values agree and the gradients do not."""
    v = vectors("head_insightface_combined")
    logits, _, dx, _ = run(Classifier(32, 17, AngularMargin(64.0, m2=0.5)), v["x"], v["weight"], v["label"])
    close(logits, v["arc_logits"], 1e-3)  # rows 0 and 1 have cosine +1 and -1: the sine is held at 0.001 there
    close(logits[2:], v["arc_logits"][2:], 1e-5)
    assert np.abs(dx[2:] - v["arc_grad_x"][2:]).max() > 0.05 * np.abs(v["arc_grad_x"]).max()


def test_insightface_combined_ignores_m2():
    """With m3 above 0 insightface's CombinedMarginLoss leaves m2 out; ours applies both."""
    v = vectors("head_insightface_combined")
    theirs = run(Classifier(32, 17, AngularMargin(64.0, m3=0.2)), v["x"], v["weight"], v["label"])[0]
    close(theirs, v["combined_logits"], 1e-5)
    ours = run(Classifier(32, 17, AngularMargin(64.0, m2=0.3, m3=0.2)), v["x"], v["weight"], v["label"])[0]
    assert np.abs(ours - v["combined_logits"]).max() > 1


@pytest.mark.parametrize(("name", "preset"), [("arcface", "arcface_clamped"), ("cosface", "cosface_clamped")])
def test_clamped_presets_equal_adaface(name, preset):
    v = vectors(f"head_adarepo_{name}")
    head = build_head(HeadConfig(name=preset), 32, 17)
    assert max(head.margin.m2, head.margin.m3) == pytest.approx(float(v["m"]))
    logits, _, dx, dweight = run(head, v["x"], v["kernel"].T, v["label"])
    close(logits, v["logits"], 1e-5)
    close(dx, v["grad_x"], 1e-4)
    close(dweight, v["grad_kernel"].T, 1e-4)
    unclamped = build_head(HeadConfig(name=name, m3=0.4 if name == "cosface" else 0.0), 32, 17)
    free = run(unclamped, v["x"], v["kernel"].T, v["label"])
    close(free[0][2:], v["logits"][2:], 1e-5)  # without the clamp only rows 0 and 1 (cosine +1 and -1) differ


M1_IS_ONE = [(1.0, 0.5, 0.0), (1.0, 0.3, 0.2), (1.0, 0.0, 0.35)]
CASES = [(beyond, margins) for beyond in ("cos", "clip", "linear", "easy") for margins in M1_IS_ONE]
CASES += [("cos", (1.35, 0.1, 0.05)), ("clip", (1.35, 0.1, 0.05))]


@pytest.mark.parametrize(("beyond", "margins"), CASES)
def test_logits_and_gradients_in_float64(beyond, margins):
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(8, 6)), rng.normal(size=(5, 6))
    label = np.array([0, 1, 2, 3, 4, 0, 1, -1])
    x[5] = -weight[0] + 0.2 * rng.normal(size=6)  # far beyond pi with the margin
    x[6] = weight[1] + 0.1 * rng.normal(size=6)
    head = Classifier(6, 5, AngularMargin(8.0, *margins, beyond_pi=beyond))
    logits, rows, dx, dweight = run(head, x, weight, label, "float64")
    np.testing.assert_allclose(logits, reference_logits(x, weight, label, 8.0, *margins, beyond), rtol=1e-9, atol=1e-9)
    assert rows.mean() == pytest.approx(mean_loss(logits, label), rel=1e-9)

    def loss_at(x_, w_):
        return mean_loss(reference_logits(x_, w_, label, 8.0, *margins, beyond), label)

    for array, gradient, first in ((x, dx, True), (weight, dweight, False)):
        for index in rng.choice(array.size, 12, replace=False):
            step = np.zeros(array.size)
            step[index] = 1e-6
            step = step.reshape(array.shape)
            up = loss_at(array + step, weight) if first else loss_at(x, array + step)
            down = loss_at(array - step, weight) if first else loss_at(x, array - step)
            assert gradient.ravel()[index] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def test_no_label_means_no_margin():
    v = vectors("head_insightface_combined")
    logits = run(Classifier(32, 17, AngularMargin(64.0, m2=0.5)), v["x"], v["weight"], np.full(10, -1))[0]
    close(logits, 64 * v["cosine"], 1e-6)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (HeadConfig(name="arcfase"), "did you mean arcface"),
        (HeadConfig(s=0.0), "scale"),
        (HeadConfig(s=float("nan")), "scale"),
        (HeadConfig(m2=4.0), "m2 in 0..3.14"),
        (HeadConfig(name="cosface", m2=0.5), "cosface has no m2"),
        (HeadConfig(name="arcface", m3=0.2), "arcface has no m3"),
        (HeadConfig(name="softmax", m3=0.2), "no margins"),
        (HeadConfig(options={"h": 0.3}), "has no option 'h'"),
    ],
)
def test_bad_configurations_are_named(config, message):
    with pytest.raises(ConfigError, match=message):
        build_head(config, 8, 4)


def test_bad_sizes_and_combinations_are_named():
    with pytest.raises(ConfigError, match="above 0"):
        build_head(HeadConfig(), 8, 0)
    with pytest.raises(ConfigError, match="m1 = 1 only"):
        Classifier(4, 3, AngularMargin(m1=1.2, beyond_pi="linear"))
    with pytest.raises(ConfigError, match="cos, clip, linear, easy"):
        Classifier(4, 3, AngularMargin(beyond_pi="wrap"))
