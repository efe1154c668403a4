"""CurricularFace against the references' numbers and a float64 loop."""

import math

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import build_head
from fairface.heads.statistics import RunningStatistics
from fairface.mx import mx, nd
from fairface.parallel import World
from unittests.heads.helpers import close, run, unit, vectors


def with_weight(config, kernel):
    head = build_head(config, *kernel.shape)
    head.initialize()
    head.weight.set_data(nd.array(kernel.T))
    return head


@pytest.mark.parametrize("hybridize", [False, True])
def test_two_steps_equal_the_published_code(hybridize):
    v = vectors("head_curricularface")
    config = HeadConfig(name="curricularface", s=float(v["s"]), m2=float(v["m"]), options={"alpha": float(v["alpha"])})
    head = with_weight(config, v["kernel"])
    statistics = RunningStatistics(head.statistic, head.measured)
    assert statistics.state() == {"t": v["t0"]}
    for step in "12":
        label = v[f"label{step}"]
        values = statistics.update([nd.array(v[f"x{step}"])], [nd.array(label, dtype="int32")], World((mx.cpu(),)))[0]
        statistics.commit()
        assert statistics.state()["t"] == pytest.approx(v[f"t{step}"], rel=1e-5)
        logits, rows, dx, dweight = run(
            head, v[f"x{step}"], v["kernel"].T, label, hybridize=hybridize, statistics=[values[0].asscalar()]
        )
        close(logits, v[f"logits{step}"], 1e-5)
        assert rows.mean() == pytest.approx(float(v[f"loss{step}"]), rel=1e-5)
        close(dx, v[f"grad_x{step}"], 1e-4)
        close(dweight, v[f"grad_kernel{step}"].T, 1e-4)


def test_ufaces_loss_with_unlabeled_rows():
    """UFace hides the label of masked faces. Loss and gradients are ours for the same t; its t counts such rows as
    cosine 0, ours leaves them out, so after one step its t is ours times labeled / all."""
    v = vectors("loss_uface_head_ce")
    config = HeadConfig(name="curricularface", m2=float(v["m_curricular"]), options={"alpha": float(v["alpha"])})
    head = with_weight(config, v["kernel"])
    for step in "12":
        label = v[f"label{step}"]
        _, rows, dx, dweight = run(head, v[f"x{step}"], v["kernel"].T, label, statistics=[v[f"cur_t{step}"]])
        assert rows.mean() == pytest.approx(float(v[f"cur_ce{step}"]), rel=1e-5)
        close(dx, v[f"cur_grad_x_ce{step}"], 1e-5)
        # The reference keeps the gradient of its total loss only; the regularisers do not touch the kernel.
        close(dweight, v[f"cur_grad_kernel{step}"].T, 1e-4)
    statistics = RunningStatistics(head.statistic, head.measured)
    label = v["label1"]
    t = statistics.update([nd.array(v["x1"])], [nd.array(label, dtype="int32")], World((mx.cpu(),)))[0][0].asscalar()
    assert (label < 0).any()
    assert t * (label >= 0).mean() == pytest.approx(float(v["cur_t1"][0]), rel=1e-5)


def test_logits_equal_a_float64_loop():
    rng = np.random.default_rng(7)
    weight, label = rng.normal(size=(6, 4)), np.append(rng.integers(0, 6, 30), -1)
    x = weight[label] + 1.5 * rng.normal(size=(31, 4))
    x[0] = -weight[label[0]] + 0.1 * rng.normal(size=4)  # beyond pi with the margin
    t, m, s = 0.25, 0.5, 16.0
    logits = run(build_head(HeadConfig(name="curricularface", s=s), 4, 6), x, weight, label, "float64", statistics=[t])[
        0
    ]
    cosine = unit(x) @ unit(weight).T
    expected = cosine.copy()
    for i, y in enumerate(label):
        if y < 0:
            continue
        theta = math.acos(cosine[i, y])
        target = math.cos(theta + m) if theta + m <= math.pi else cosine[i, y] - m * math.sin(m)
        for j in range(6):
            if j != y and cosine[i, j] > math.cos(theta + m):
                expected[i, j] = cosine[i, j] * (t + cosine[i, j])
        expected[i, y] = target
    np.testing.assert_allclose(logits, s * expected, atol=1e-9)


def test_beyond_pi_a_hard_class_scores_above_the_plain_cosine_with_margin():
    """The target's logit goes on downwards, the bound for hard classes does not (published code): class 1, opposite to
    the embedding like the target, is below the bound and keeps its cosine."""
    theta = np.array([3.0, 3.1, 1.5, 0.4])  # of four classes in a plane; the embedding lies at 0
    bound = math.cos(theta[0] + 0.5)
    assert math.cos(theta[1]) < bound < math.cos(theta[2])
    weight = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    head = build_head(HeadConfig(name="curricularface", s=8.0), 2, 4)
    logits = run(head, np.array([[2.0, 0.0]]), weight, np.array([0]), "float64", statistics=[0.3])[0][0]
    expected = [math.cos(theta[0]) - 0.5 * math.sin(0.5), math.cos(theta[1]),
                *(math.cos(angle) * (0.3 + math.cos(angle)) for angle in theta[2:])]  # fmt: skip
    np.testing.assert_allclose(logits / 8, expected, atol=1e-6)


def test_a_batch_without_labels_keeps_t():
    head = with_weight(HeadConfig(name="curricularface"), np.eye(3))
    statistics = RunningStatistics(head.statistic, head.measured)
    statistics.load_state({"t": np.array([0.4], np.float32)})
    statistics.update([nd.ones((2, 3))], [nd.array([-1, -1], dtype="int32")], World((mx.cpu(),)))
    statistics.commit()
    assert statistics.state()["t"] == np.float32(0.4)
