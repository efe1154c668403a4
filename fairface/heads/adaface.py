"""AdaFace (Kim et al. 2022): the margin follows an image's quality, read off the length of its embedding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.base import Margin, Target
from fairface.heads.options import Option, margins_of, options_of
from fairface.heads.statistics import LENGTH, Statistic
from fairface.mx import NDArray, nd

_EPS = 1e-3  # distance that cosines keep from +-1 and angles from 0 and pi; added to the deviation
_SHORTEST, _LONGEST = 1e-3, 100.0  # embedding lengths are held between these


class AdaFaceMargin(Margin):
    """A margin with the statistics ``batch_mean (1,)`` and ``batch_std (1,)`` of embedding lengths.

    With ``z = clip(h * (length - mean) / deviation, -1, 1)`` the target gets
    ``s * (cos(theta - m * z) - (m + m * z))``: ArcFace's margin for short embeddings (z = -1), CosFace's in the middle;
    among long ones the hard rows weigh most. No gradient flows through the length (equations 6 to 8).

    Args:
        s: scale.
        m: margin, radians on the angle and off the cosine.
        h: how much of the lengths' spread is used; 0 = CosFace with margin m.
        t_alpha: weight of the newest batch in mean and deviation, which take their own batch in before they are used.
    """

    uses_length = True

    def __init__(self, s: float = 64.0, m: float = 0.4, h: float = 0.333, t_alpha: float = 0.01) -> None:
        super().__init__(s)
        self.m, self.h, self.t_alpha = m, h, t_alpha
        self.statistic = Statistic({"batch_mean": 20.0, "batch_std": 100.0}, LENGTH, self.moved)

    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        assert target is not None
        mean, deviation = (F.reshape(value, shape=(1, 1)) for value in statistics)
        limit = 1.0 - _EPS
        logits = F.clip(scaled, -self.s * limit, self.s * limit)
        cosine = F.clip(target.cosine, -limit, limit)
        held = F.clip(F.BlockGrad(length), _SHORTEST, _LONGEST)
        z = F.broadcast_div(F.broadcast_sub(held, mean) * self.h, deviation + _EPS)
        shift = F.clip(z, -1.0, 1.0) * self.m
        theta = F.clip(F.arccos(cosine) - shift, _EPS, math.pi - _EPS)
        with_margin = (F.cos(theta) - shift - self.m) * self.s
        return target.add(F, logits, with_margin - cosine * self.s)

    def moved(self, values: Sequence[NDArray], rows: NDArray, labeled: NDArray) -> list[NDArray]:
        """Mean and deviation (that of a sample, n - 1) with a batch taken in; one row alone has no deviation."""
        mean, deviation = values
        rows = nd.clip(rows, _SHORTEST, _LONGEST)
        number = labeled.sum()
        new_mean = (rows * labeled).sum() / nd.maximum(number, 1)
        squares = (nd.square(rows - new_mean) * labeled).sum()
        new_deviation = nd.sqrt(squares / nd.maximum(number - 1, 1))
        alpha = self.t_alpha
        return [
            nd.where(number > 0, new_mean * alpha + mean * (1 - alpha), mean),
            nd.where(number > 1, new_deviation * alpha + deviation * (1 - alpha), deviation),
        ]


def adaface(config: HeadConfig) -> AdaFaceMargin:
    """``adaface``: options ``m``, ``h``, ``t_alpha``."""
    margins_of(config, {})
    known = {"m": Option(0.4, 0.0, 1.5), "h": Option(0.333, 0.0, 100.0), "t_alpha": Option(0.01, 0.0, 1.0)}
    return AdaFaceMargin(config.s, **options_of(config, known))
