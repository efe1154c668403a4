"""Classes split over one, two or three devices: loss and gradients are those of the whole matrix, for every margin."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import HEADS, build_head
from fairface.heads.statistics import RunningStatistics
from fairface.mx import mx, nd
from fairface.parallel import World
from unittests.heads.helpers import close, run, unit, vectors
from unittests.heads.sharded.helpers import passed, sharded
from unittests.heads.test_heads import STATISTICS, rows_of_all_kinds


@pytest.mark.parametrize("name", sorted(HEADS))
def test_losses_and_gradients(name):
    x, weight, label = rows_of_all_kinds()  # 5 classes: 3 + 2 on two devices, 2 + 2 + 1 on three
    statistics = STATISTICS.get(name, ())
    for smoothing, filtered in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.2)):
        if filtered and name == "softmax":
            continue
        config = HeadConfig(name=name, s=8.0, label_smoothing=smoothing, interclass_filter=filtered)
        head = build_head(config, 6, 5)
        _, rows, dx, dweight = run(head, x, weight, label, "float64", statistics=statistics, smoothing=smoothing)
        for devices in (1, 2, 3):
            ours = passed(*sharded(config, weight, devices), x, label, statistics)
            close(ours.losses, rows, 1e-12)
            close(ours.dx, dx, 1e-10)
            close(ours.dweight, dweight, 1e-10)
            assert ours.losses[-1] == 0  # the row without a label
            assert not ours.dx[-1].any()


@pytest.mark.parametrize("name", ["arcface", "curricularface", "adaface", "svx"])
def test_in_single_precision_with_the_usual_scale(name):
    """Against float64: at a scale of 64 the whole matrix is off by 3e-6 in its gradients as well."""
    rng = np.random.default_rng(5)
    x, weight, label = rng.normal(size=(12, 16)), rng.normal(size=(7, 16)), np.append(rng.integers(0, 7, 11), -1)
    x[:6] += 3 * weight[label[:6]]
    statistics = STATISTICS.get(name, ())
    config = HeadConfig(name=name)
    x, weight = x.astype(np.float32), weight.astype(np.float32)
    _, rows, dx, dweight = run(build_head(config, 16, 7), x, weight, label, "float64", statistics=statistics)
    ours = passed(*sharded(config, weight, 3, "float32"), x, label, statistics)
    close(ours.losses, rows, 1e-6)
    close(ours.dx, dx, 4e-6)
    close(ours.dweight, dweight, 4e-6)


def test_far_apart_logits_neither_overflow_nor_vanish():
    """Without normalisation logits of thousands are possible; the largest lies on either device."""
    weight = np.array([[1000.0, 0], [0, 1000.0], [-1000.0, 0]])
    x, label = np.array([[3.0, 0], [0, 3.0], [-3.0, 0], [3.0, 0]]), np.array([0, 1, 2, 2])
    ours = passed(*sharded(HeadConfig(name="softmax"), weight, 2, "float32"), x, label)
    np.testing.assert_array_equal(ours.losses, [0, 0, 0, 6000])
    assert np.isfinite(ours.dweight).all()


def test_a_batch_without_labels_gives_zeros():
    x, weight, label = rows_of_all_kinds()
    ours = passed(*sharded(HeadConfig(name="arcface"), weight, 2), x, np.full_like(label, -1))
    for array in (ours.losses, ours.dx, ours.dweight, ours.correct):
        assert not array.any()


def test_a_row_is_correct_where_its_own_class_has_the_highest_cosine():
    rng = np.random.default_rng(2)
    weight, label = rng.normal(size=(5, 4)), np.append(rng.integers(0, 5, 40), -1)
    x = weight[label] + rng.normal(size=(41, 4))
    expected = ((unit(x) @ unit(weight).T).argmax(1) == label).astype(float)
    expected[-1] = 0
    assert 5 < expected.sum() < 40
    for name in ("arcface", "arc_circle"):  # the latter reshapes all logits
        ours = passed(*sharded(HeadConfig(name=name), weight, 3), x, label)
        np.testing.assert_array_equal(ours.correct, expected)


@pytest.mark.parametrize("name", sorted(STATISTICS))
def test_statistics_are_those_of_the_whole_batch(name):
    x, weight, label = rows_of_all_kinds()
    whole = build_head(HeadConfig(name=name), 6, 5)
    whole.initialize()
    whole.weight.set_data(nd.array(weight))
    head, _ = sharded(HeadConfig(name=name), weight, 3, "float32")
    places = [shard.context for shard in head.shards]
    one, split = RunningStatistics(whole.statistic, whole.measured), RunningStatistics(head.statistic)
    one.update([nd.array(x)], [nd.array(label, dtype="int32")], World((mx.cpu(),)))
    parts = [[nd.array(part, ctx=c, dtype=dtype) for part, c in
              zip(np.array_split(array, len(places)), places, strict=True)]
             for array, dtype in ((x, "float32"), (label, "int32"))]  # fmt: skip
    batch = head.gathered(*parts, World(tuple(places)))
    values = split.move(head.measured(batch), batch.labeled[0].reshape((-1,)), places)
    assert [value[0].context for value in values] == places
    for statistics in (one, split):
        statistics.commit()
    found = [one.state(), split.state()]
    for key, value in found[0].items():
        np.testing.assert_allclose(found[1][key], value, rtol=1e-6)


@pytest.mark.parametrize("case", ["arc", "cos", "cur"])
def test_published_distributed_losses_with_unlabeled_rows(case):
    """UFace's distributed heads and cross-entropy, which divides by all rows. t is given: see test_curricular.py."""
    v = vectors("loss_uface_head_ce")
    name, margins = {
        "arc": ("arcface_linear", {"m2": float(v["arc_m"])}),
        "cos": ("cosface", {"m3": float(v["cos_m"])}),
        "cur": ("curricularface", {"m2": float(v["m_curricular"])}),
    }[case]
    config = HeadConfig(name=name, s=float(v["s"]), **margins)
    head, updater = sharded(config, v["kernel"].T, 3)
    ours = passed(head, updater, v["x1"], v["label1"], [v["cur_t1"]] if case == "cur" else ())
    assert (v["label1"] < 0).any()
    assert ours.losses.mean() == pytest.approx(float(v[f"{case}_ce1"]), rel=1e-5)
    close(ours.dx, v[f"{case}_grad_x_ce1"], 1e-5)
    close(ours.dweight, v[f"{case}_grad_kernel1"].T, 1e-4)
