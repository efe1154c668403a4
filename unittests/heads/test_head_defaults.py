"""The values that heads have where nothing is configured, and statistics of the smallest batches."""

import inspect

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import build_head, build_margin, build_sharded_head
from fairface.heads.adaface import AdaFaceMargin
from fairface.heads.curricular import CurricularMargin
from fairface.heads.statistics import RunningStatistics
from fairface.heads.triplets.triplet import AngularTriplet, Triplet
from fairface.mx import mx, nd
from fairface.parallel import World
from unittests.heads.helpers import unit


def test_adafaces_own_values_are_the_papers():
    built, made = build_margin(HeadConfig(name="adaface")), AdaFaceMargin()
    for margin in (built, made):
        assert (margin.s, margin.m, margin.h, margin.t_alpha) == (64.0, 0.4, 0.333, 0.01)


@pytest.mark.parametrize(("given", "expected"), [({}, 0.01), ({"deviation": 0.25}, 0.25)])
def test_class_weights_start_with_the_configured_deviation(given, expected):
    for name, sharded in (("adaface", False), ("cosface", True)):
        head = (build_sharded_head if sharded else build_head)(HeadConfig(name=name, sharded=sharded, **given), 64, 99)
        head.initialize()
        weight = head.arrays()["weight"] if sharded else head.weight.data()
        assert weight.asnumpy().std() == pytest.approx(expected, rel=0.05)
        assert weight.asnumpy().mean() == pytest.approx(0, abs=0.05 * expected)


def test_curricularfaces_own_values():
    built, made = build_margin(HeadConfig(name="curricularface")), CurricularMargin()
    for margin in (built, made):
        assert (margin.s, margin.m2, margin.alpha) == (64.0, 0.5, 0.1)


@pytest.mark.parametrize("labels", [[1], [1, -1, -1], [2, 0], [2, 0, -1, 1]])
def test_curricularfaces_t_takes_in_a_tenth_of_the_batchs_mean_cosine(labels):
    rng = np.random.default_rng(len(labels))
    weight, x = rng.normal(size=(3, 4)), rng.normal(size=(len(labels), 4))
    head = build_head(HeadConfig(name="curricularface"), 4, 3)
    head.initialize()
    head.weight.set_data(nd.array(weight))
    statistics = RunningStatistics(head.statistic, head.measured)
    statistics.load_state({"t": np.array([0.3], np.float32)})
    statistics.update([nd.array(x)], [nd.array(labels, dtype="int32")], World((mx.cpu(),)))
    statistics.commit()
    cosines = [unit(x)[i] @ unit(weight)[label] for i, label in enumerate(labels) if label >= 0]
    expected = 0.9 * 0.3 + 0.1 * sum(cosines) / len(cosines)
    assert float(statistics.state()["t"][0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [Triplet, AngularTriplet])
def test_a_triplet_loss_needs_an_alpha_above_0_and_takes_the_widest(loss):
    for bad in (0.0, -0.1, loss.widest * 1.01):
        with pytest.raises(ConfigError, match=r"triplet\.alpha is"):
            loss(bad)
    assert loss(loss.widest).alpha == loss.widest
    assert inspect.signature(loss).parameters["alpha"].default is inspect.Parameter.empty
