"""Circle loss on the angle: the fair-face system's arc-circle losses, for classes and for pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads.angle import angle
from fairface.heads.circle import CircleMargin
from fairface.heads.options import Option, margins_of, options_of

THETA_MARGIN = 0.65 * math.pi


@dataclass(frozen=True)
class ArcCircle:
    """With T the margin in radians and pi as the largest angle within a cosine:

    Positive: ``(theta + pi - T) * cos(theta + T)``; negative: ``max(0, T - theta) * cos(theta + pi - T)``.

    The curve of the negatives falls and rises again: with the default T it is lowest at 67 degrees, so that a class at
    a right angle costs more than one at 67 degrees.

    Raises:
        ConfigError: a margin that is not between 0 and pi.
    """

    theta_margin: float = THETA_MARGIN

    def __post_init__(self) -> None:
        if not 0 < self.theta_margin < math.pi:
            raise ConfigError(f"theta_margin is {self.theta_margin}; it must lie between 0 and pi, both excluded")

    def positive(self, F: Any, cosine: Any) -> Any:
        theta = angle(F, cosine)
        return (theta + (math.pi - self.theta_margin)) * _cosine(F, theta + self.theta_margin)

    def negative(self, F: Any, cosine: Any) -> Any:
        theta = angle(F, cosine)
        return F.relu(self.theta_margin - theta) * _cosine(F, theta + (math.pi - self.theta_margin))


@dataclass(frozen=True)
class FixedArcCircle(ArcCircle):
    """The corrected form, in which the negatives' curve never rises with the angle.

    Positive: ``(theta + pi - T) * cos(theta + T) + c``; negative: ``(2 pi - T - theta) * cos(theta - T) - c``,
    angles within a cosine held in 0..pi.

    Args:
        offset: c; the fair-face system's head has ``0.2 * (pi - T)``, its triplet loss 0.
    """

    offset: float = 0.0

    def positive(self, F: Any, cosine: Any) -> Any:
        return super().positive(F, cosine) + self.offset

    def negative(self, F: Any, cosine: Any) -> Any:
        theta = angle(F, cosine)
        weight = 2 * math.pi - self.theta_margin - theta
        return weight * _cosine(F, theta - self.theta_margin) - self.offset


def _cosine(F: Any, theta: Any) -> Any:
    return F.cos(F.clip(theta, 0.0, math.pi))


def arc_circle(config: HeadConfig) -> CircleMargin:
    """``arc_circle``: option ``theta_margin`` in radians."""
    return CircleMargin(config.s, ArcCircle(_theta_margin(config)))


def fix_arc_circle(config: HeadConfig) -> CircleMargin:
    """``fix_arc_circle``: option ``theta_margin`` in radians."""
    margin = _theta_margin(config)
    return CircleMargin(config.s, FixedArcCircle(margin, 0.2 * (math.pi - margin)))


def _theta_margin(config: HeadConfig) -> float:
    margins_of(config, {})
    return options_of(config, {"theta_margin": Option(THETA_MARGIN, 0.01, 3.14)})["theta_margin"]
