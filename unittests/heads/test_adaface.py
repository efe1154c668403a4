"""AdaFace against the published code's numbers; its statistics over batches that make trouble."""

import math

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import build_head
from fairface.heads.statistics import RunningStatistics
from fairface.mx import mx, nd
from fairface.parallel import World
from unittests.heads.helpers import close, run, unit, vectors


def configured(v):
    options = {key: float(v[key]) for key in ("m", "h", "t_alpha")}
    return build_head(HeadConfig(name="adaface", s=float(v["s"]), options=options), *v["kernel"].shape)


@pytest.mark.parametrize("name", ["head_adaface", "head_adaface_clip"])
@pytest.mark.parametrize("hybridize", [False, True])
def test_two_steps_equal_the_published_code(name, hybridize):
    v = vectors(name)
    head = configured(v)
    statistics = RunningStatistics(head.statistic, head.measured)
    assert statistics.state() == {"batch_mean": v["batch_mean0"], "batch_std": v["batch_std0"]}
    for step in "12":
        label = v[f"label{step}"]
        values = statistics.update([nd.array(v[f"x{step}"])], [nd.array(label, dtype="int32")], World((mx.cpu(),)))[0]
        statistics.commit()
        state = statistics.state()
        assert state["batch_mean"] == pytest.approx(v[f"batch_mean{step}"], rel=1e-6)
        assert state["batch_std"] == pytest.approx(v[f"batch_std{step}"], rel=1e-6)
        logits, rows, dx, dweight = run(
            head, v[f"x{step}"], v["kernel"].T, label, hybridize=hybridize, statistics=[a.asscalar() for a in values]
        )
        close(logits, v[f"logits{step}"], 1e-5)
        assert rows.mean() == pytest.approx(float(v[f"loss{step}"]), rel=1e-5)
        close(dx, v[f"grad_x{step}"], 1e-4)
        close(dweight, v[f"grad_kernel{step}"].T, 1e-4)


def test_logits_equal_a_float64_loop():
    rng = np.random.default_rng(5)
    weight, label = rng.normal(size=(6, 4)), np.append(rng.integers(0, 6, 30), -1)
    x = (weight[label] + rng.normal(size=(31, 4))) * rng.uniform(0.1, 30, (31, 1))
    mean, std, m, h, s = 15.0, 8.0, 0.45, 0.7, 16.0
    head = build_head(HeadConfig(name="adaface", s=s, options={"m": m, "h": h}), 4, 6)
    logits = run(head, x, weight, label, "float64", statistics=(mean, std))[0]
    expected = np.clip(unit(x) @ unit(weight).T, -0.999, 0.999)
    for i, y in enumerate(label):
        if y >= 0:
            length = min(100.0, max(0.001, np.linalg.norm(x[i])))
            z = min(1.0, max(-1.0, h * (length - mean) / (std + 1e-3)))
            theta = min(math.pi - 1e-3, max(1e-3, math.acos(expected[i, y]) - m * z))
            expected[i, y] = math.cos(theta) - (m + m * z)
    np.testing.assert_allclose(logits, s * expected, atol=1e-9)


def test_h_0_is_cosface_and_short_embeddings_get_arcfaces_margin():
    rng = np.random.default_rng(6)
    x, weight, label = rng.normal(size=(8, 5)), rng.normal(size=(4, 5)), rng.integers(0, 4, 8)
    flat = build_head(HeadConfig(name="adaface", options={"h": 0.0}), 5, 4)
    cosface = build_head(HeadConfig(name="cosface", m3=0.4), 5, 4)
    ours = run(flat, x, weight, label, statistics=(20, 100))[0]
    close(ours, run(cosface, x, weight, label)[0], 1e-5)
    short = build_head(HeadConfig(name="adaface"), 5, 4)
    ours = run(short, x, weight, label, statistics=(1000, 1))[0]
    arcface = run(build_head(HeadConfig(name="arcface", m2=0.4), 5, 4), x, weight, label)[0]
    close(ours, arcface, 1e-5)


def moved(labels, lengths, mean=20.0, std=100.0, alpha=0.3):
    head = build_head(HeadConfig(name="adaface", options={"t_alpha": alpha}), 3, 4)
    x = np.zeros((len(lengths), 3), np.float32)
    x[:, 1] = lengths
    statistics = RunningStatistics(head.statistic, head.measured)
    statistics.load_state({"batch_mean": np.array([mean], np.float32), "batch_std": np.array([std], np.float32)})
    statistics.update([nd.array(x)], [nd.array(labels, dtype="int32")], World((mx.cpu(),)))
    statistics.commit()
    return [float(value[0]) for value in statistics.state().values()]


def test_unlabeled_rows_are_left_out_of_the_statistics():
    lengths = np.array([5.0, 7.0, 90.0, 12.0])
    kept = lengths[[0, 1, 3]]
    expected = [0.3 * kept.mean() + 0.7 * 20, 0.3 * kept.std(ddof=1) + 0.7 * 100]
    assert moved([0, 3, -1, 1], lengths) == pytest.approx(expected, rel=1e-6)


def test_a_batch_of_one_keeps_the_deviation():
    """The published code takes the deviation of one number, which is NaN, and every later loss is NaN too."""
    assert moved([2], [8.0]) == pytest.approx([0.3 * 8 + 0.7 * 20, 100])
    assert moved([2, -1, -1], [8.0, 50.0, 60.0]) == pytest.approx([0.3 * 8 + 0.7 * 20, 100])


def test_a_batch_without_labels_changes_nothing():
    assert moved([-1, -1], [8.0, 9.0]) == [20.0, 100.0]


def test_lengths_are_held_within_bounds():
    assert moved([0, 1], [0.0, 400.0], alpha=1.0) == pytest.approx([(0.001 + 100) / 2, np.std([0.001, 100], ddof=1)])
