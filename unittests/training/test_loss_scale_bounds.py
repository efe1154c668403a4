"""The loss scale and the learning rate at their ends."""

import math

import pytest

from fairface.config.schema import OptimizerConfig
from fairface.training.loss_scale import PATIENCE, LossScale
from fairface.training.schedule import learning_rate, steps_of


def test_a_loss_scale_by_default_is_that_of_the_paper():
    """Micikevicius et al. 2018: doubled after 2000 steps, halved at an overflow."""
    scale = LossScale()
    assert (scale.value, scale.growth_steps, scale.largest, PATIENCE) == (32768.0, 2000, 16777216.0, 20)
    assert scale.state() == {"value": 32768.0, "good_steps": 0, "skipped": 0, "at_floor": 0}
    for _ in range(1999):
        scale.update(True)
    assert (scale.value, scale.good_steps) == (32768.0, 1999)
    scale.update(True)
    assert (scale.value, scale.good_steps) == (65536.0, 0)
    fixed = LossScale(1.0, growth_steps=0)
    for _ in range(5):
        fixed.update(True)
    assert (fixed.value, fixed.good_steps) == (1.0, 5)


def test_a_loss_scale_goes_no_lower_than_one():
    scale = LossScale(3.0)
    assert [scale.update(False) for _ in range(3)] == [False] * 3
    assert scale.state() == {"value": 1.0, "good_steps": 0, "skipped": 3, "at_floor": 1}
    scale.update(True)
    assert scale.state() == {"value": 1.0, "good_steps": 1, "skipped": 3, "at_floor": 0}
    scale.load_state({"value": 4, "good_steps": 3.0, "skipped": 2.0})  # of before there was a count at the floor
    assert scale.state() == {"value": 4.0, "good_steps": 3, "skipped": 2, "at_floor": 0}
    scale.load_state({"value": 1, "good_steps": 0, "skipped": 2, "at_floor": 19})
    assert not scale.exhausted
    scale.update(False)
    assert scale.exhausted


def test_rates_at_the_ends_of_a_run():
    base = {"lr": 2.0, "final_lr": 0.5, "power": 2.0, "warmup": 0.2}
    for schedule, last in (("cosine", 0.5 + 1.5 * (1 + math.cos(math.pi * 7 / 8)) / 2), ("poly", 0.5 + 1.5 / 64)):
        config = OptimizerConfig(schedule=schedule, **base)
        rates = [learning_rate(config, step, 10) for step in range(11)]
        assert rates[:3] == [1.0, 2.0, 2.0]
        assert rates[9:] == pytest.approx([last, 0.5])
        assert learning_rate(config, 3, 3) == pytest.approx(0.5)
    every = OptimizerConfig(lr=1.0, schedule="cosine", warmup=4)
    assert [learning_rate(every, step, 4) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]  # warm-up alone
    steps = OptimizerConfig(lr=1.0, schedule="step", milestones=(0.5, 7), gamma=0.5, warmup=0)
    assert [learning_rate(steps, step, 10) for step in (0, 4, 5, 6, 7, 9)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert [steps_of(value, 10) for value in (0.0, 0.04, 0.06, 0.99, 1.0, 1.4, 1.6)] == [0, 0, 1, 10, 1, 1, 2]
