"""SV-X and MV-Softmax against the references' numbers and a float64 loop."""

import math

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import build_head
from unittests.heads.helpers import close, run, unit, vectors


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize(("name", "mask"), [("marginface", 1.0), ("marginface_mask12", 1.2)])
def test_svx_equals_the_fair_face_system(name, mask, hybridize):
    v = vectors("loss_paranoidai_class")
    s, _, m2, _, _, _, _, theirs = v[f"{name}_params"]
    assert theirs == mask
    head = build_head(HeadConfig(name="svx", s=s, m2=m2, options={"mask": mask}), v["x"].shape[1], len(v["weight"]))
    logits, _, dx, dweight = run(head, v["x"], v["weight"], v["label"], hybridize=hybridize)
    close(logits, v[f"{name}_logits"], 1e-5)
    close(dx, v[f"{name}_grad_x"], 1e-4)
    close(dweight, v[f"{name}_grad_weight"], 1e-4)


def test_svx_with_mask_1_is_arcface():
    """The fair-face system ships mask 1.0, so its marginface weighs no negative; ours starts from 1.2, the paper's."""
    v = vectors("loss_paranoidai_class")
    np.testing.assert_allclose(v["marginface_logits"], v["arcface_logits"], rtol=1e-6)
    shape = v["x"].shape[1], len(v["weight"])
    arcface = run(build_head(HeadConfig(name="arcface"), *shape), v["x"], v["weight"], v["label"])[0]
    plain = run(build_head(HeadConfig(name="svx", options={"mask": 1.0}), *shape), v["x"], v["weight"], v["label"])[0]
    close(plain, arcface, 1e-6)
    ours = run(build_head(HeadConfig(name="svx"), *shape), v["x"], v["weight"], v["label"])[0]
    assert np.abs(ours - arcface).max() > 1


def test_svx_on_the_grid_of_angles():
    v = vectors("loss_paranoidai_theta_grid")
    for label in (0, 1):
        head = build_head(HeadConfig(name="svx", options={"mask": 1.0}), 2, 2)
        close(run(head, v["x"], v["weight"], np.full(90, label))[0], v[f"marginface_logits_label{label}"], 1e-5)


@pytest.mark.parametrize("kind", ["am", "arc"])
def test_easy_mv_softmax_equals_the_published_code(kind):
    v = vectors("head_mvsoftmax")
    x, weight = v["x"], v["weight"].T
    margin = {"am": "m3", "arc": "m2"}[kind]
    config = HeadConfig(
        name=f"mv_{kind}_easy", s=float(v["scale"]), options={"mask": float(v["mv_weight"])},
        **{margin: float(v["margin"])},
    )  # fmt: skip
    logits, rows, dx, dweight = run(build_head(config, x.shape[1], len(weight)), x, weight, v["label"])
    close(logits, v[f"{kind}_logits"], 1e-5)
    assert rows.mean() == pytest.approx(float(v[f"{kind}_loss"]), rel=1e-5)
    close(dx, v[f"{kind}_grad_x"], 1e-4)
    close(dweight, v[f"{kind}_grad_weight"].T, 1e-4)


@pytest.mark.parametrize("kind", ["am", "arc"])
def test_mv_softmax_keeps_the_margin_where_the_published_code_leaves_it_out(kind):
    """There the AM margin acts above cosine m3 only, the arc margin below 90 degrees only; the paper has it always."""
    v = vectors("head_mvsoftmax")
    x, weight, label = v["x"], v["weight"].T, v["label"]
    head = build_head(HeadConfig(name=f"mv_{kind}", s=float(v["scale"])), x.shape[1], len(weight))
    logits = run(head, x, weight, label)[0]
    cosine = (unit(x) @ unit(weight).T)[np.arange(len(x)), label]
    near = cosine > (0.35 if kind == "am" else 0.0)
    assert near.any()
    assert not near.all()
    difference = logits - v[f"{kind}_logits"]
    own = difference[np.arange(len(x)), label]
    difference[np.arange(len(x)), label] = 0
    assert np.abs(difference).max() < 1e-4  # other columns agree: the threshold has the margin in both
    np.testing.assert_allclose(own[near], 0, atol=1e-4)
    with_margin = cosine - 0.35 if kind == "am" else np.cos(np.arccos(cosine) + 0.35)
    np.testing.assert_allclose(own[~near], 32 * (with_margin - cosine)[~near], atol=1e-3)
    assert (np.abs(own[~near]) > 0.05).all()


@pytest.mark.parametrize(
    "config",
    [
        HeadConfig(name="svx", s=8.0, m1=1.1, m2=0.3, m3=0.1, options={"mask": 1.3}),
        HeadConfig(name="mv_am", s=8.0, m3=0.3, options={"mask": 1.5}),
        HeadConfig(name="mv_arc", s=8.0, m2=0.4),
        HeadConfig(name="mv_am_easy", s=8.0, m3=0.3),
        HeadConfig(name="mv_arc_easy", s=8.0, m2=0.4),
    ],
    ids=lambda config: config.name,
)
def test_logits_equal_a_float64_loop(config):
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(7, 5))
    label = np.append(rng.integers(0, 7, 29), -1)
    x = weight[label] + rng.normal(size=(30, 5))
    head = build_head(config, 5, 7)
    logits = run(head, x, weight, label, "float64")[0]
    cosine = unit(x) @ unit(weight).T
    expected = np.empty_like(cosine)
    hard = 0
    for i, y in enumerate(label):
        with_margin = math.cos(head.margin.m1 * math.acos(cosine[i, y]) + head.margin.m2) - head.margin.m3
        for j in range(7):
            value = cosine[i, j]
            if j == y:
                easy = config.name.endswith("easy") and value <= head.margin.m3
                value = value if easy else with_margin
            elif y >= 0 and value > with_margin:
                value = head.margin.mask * value + head.margin.mask - 1
                hard += 1
            expected[i, j] = 8 * value
    assert 10 < hard < 170
    np.testing.assert_allclose(logits, expected, atol=1e-9)
