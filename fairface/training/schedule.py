"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math

from fairface.config.schema import OptimizerConfig


def learning_rate(config: OptimizerConfig, step: int, total: int) -> float:
    """The learning rate of ``step`` (0-based) in a run of ``total`` steps.

    Warm-up rises linearly from ``lr / warmup`` to ``lr``; then the schedule: ``step`` multiplies by ``gamma`` at each
    milestone, ``cosine`` and ``poly`` fall from ``lr`` to ``final_lr`` over the steps that warm-up left, ``constant``
    stays. ``warmup`` and milestones below 1 are shares of the whole run, from 1 on they are steps.
    """
    warmup = steps_of(config.warmup, total)
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule == "constant":
        return config.lr
    if config.schedule == "step":
        passed = sum(step >= steps_of(milestone, total) for milestone in config.milestones)
        return config.lr * config.gamma**passed
    done = (step - warmup) / max(1, total - warmup)
    left = 0.5 * (1.0 + math.cos(math.pi * done)) if config.schedule == "cosine" else (1.0 - done) ** config.power
    return config.final_lr + (config.lr - config.final_lr) * left


def steps_of(value: float, total: int) -> int:
    """A share of the run (below 1) or a number of steps (from 1 on) as a number of steps."""
    return round(value * total) if value < 1 else round(value)
