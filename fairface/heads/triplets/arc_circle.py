"""Triplet losses with the arc-circle heads' curves, as in the fair-face system."""

from __future__ import annotations

import math
from typing import Any

from fairface.errors import ConfigError
from fairface.heads.arc_circle import THETA_MARGIN, ArcCircle, FixedArcCircle
from fairface.heads.circle import Curves
from fairface.heads.triplets.base import TripletLoss

_NOTHING = -1e4  # an exponent that adds nothing; far below any that a cosine can give


class _CurveTriplet(TripletLoss):
    def __init__(self, alpha: float, gamma: float, curves: Curves) -> None:
        super().__init__(alpha)
        if not 0 < gamma < math.inf:
            raise ConfigError(f"triplet.gamma is {gamma}; the scale must be above 0")
        self.gamma = gamma
        self.curves = curves


class ArcCircleTriplet(_CurveTriplet):
    """``log(1 + sum exp(gamma / pi * negative) * sum exp(-gamma / pi * positive))`` over all triplets of a batch.

    Args:
        alpha: width of the semi-hard band in radians; the loss itself has no such margin.
        gamma: scale; divided by pi, the largest angle.
        theta_margin: T of :class:`ArcCircle`.

    Raises:
        ConfigError: a value out of range.
    """

    def __init__(self, alpha: float = 0.35, gamma: float = 64.0, theta_margin: float = THETA_MARGIN) -> None:
        super().__init__(alpha, gamma, ArcCircle(theta_margin))

    def reduce(self, F: Any, positive: Any, negative: Any, valid: Any) -> Any:
        scale = self.gamma / math.pi
        of_positives = self._log_sum(F, self.curves.positive(F, positive) * -scale, valid)
        of_negatives = self._log_sum(F, self.curves.negative(F, negative) * scale, valid)
        return F.Activation(of_positives + of_negatives, act_type="softrelu")

    def _log_sum(self, F: Any, exponent: Any, valid: Any) -> Any:
        exponent = F.where(valid, exponent, F.ones_like(exponent) * _NOTHING)
        highest = F.BlockGrad(F.max(exponent))
        return F.log(F.sum(F.exp(F.broadcast_sub(exponent, highest)))) + highest


class FixedArcCircleTriplet(_CurveTriplet):
    """Mean of ``max(0, gamma * (negative - positive))`` with the corrected curves.

    Arguments as :class:`ArcCircleTriplet`'s.
    """

    def __init__(self, alpha: float = 0.3, gamma: float = 64.0, theta_margin: float = THETA_MARGIN) -> None:
        super().__init__(alpha, gamma, FixedArcCircle(theta_margin))

    def excess(self, F: Any, positive: Any, negative: Any) -> Any:
        return (self.curves.negative(F, negative) - self.curves.positive(F, positive)) * self.gamma
