"""Learning rates against hand-written sequences."""

import math

import pytest

from fairface.config.schema import OptimizerConfig
from fairface.training.schedule import learning_rate, steps_of


def test_warmup_is_linear() -> None:
    config = OptimizerConfig(lr=1.0, schedule="constant", warmup=4)
    assert [learning_rate(config, step, 10) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_steps_drop_at_milestones() -> None:
    config = OptimizerConfig(lr=1.0, schedule="step", milestones=(0.5, 8), gamma=0.1)
    rates = [learning_rate(config, step, 10) for step in range(10)]
    assert rates == pytest.approx([1.0] * 5 + [0.1] * 3 + [0.01] * 2)


def test_cosine_and_poly_by_formula() -> None:
    cosine = OptimizerConfig(lr=2.0, final_lr=0.5, schedule="cosine", warmup=2)
    poly = OptimizerConfig(lr=2.0, final_lr=0.5, schedule="poly", power=3, warmup=2)
    for step in range(2, 12):
        done = (step - 2) / 10
        assert learning_rate(cosine, step, 12) == pytest.approx(0.5 + 1.5 * (1 + math.cos(math.pi * done)) / 2)
        assert learning_rate(poly, step, 12) == pytest.approx(0.5 + 1.5 * (1 - done) ** 3)


def test_a_share_of_the_run_or_steps() -> None:
    assert (steps_of(0.25, 200), steps_of(1, 200), steps_of(30, 200), steps_of(0, 200)) == (50, 1, 30, 0)
