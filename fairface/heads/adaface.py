"""AdaFace (Kim et al. 2022): the margin follows an image's quality, read off the length of its embedding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.cosine import CosineHead
from fairface.heads.options import Option, margins_of, options_of
from fairface.heads.statistics import Statistic
from fairface.mx import NDArray, nd

_EPS = 1e-3  # distance that cosines keep from +-1 and angles from 0 and pi; added to the deviation
_SHORTEST, _LONGEST = 1e-3, 100.0  # embedding lengths are held between these


class AdaFaceHead(CosineHead):
    """``(embedding (B, D), label (B,), mean (1,), deviation (1,)) -> logits (B, C)``.

    With ``z = clip(h * (length - mean) / deviation, -1, 1)`` the own class gets
    ``s * (cos(theta - m * z) - (m + m * z))``: ArcFace's margin for short embeddings (z = -1), CosFace's in the middle;
    among long ones the hard rows weigh most. No gradient flows through the length (equations 6 to 8).

    Args:
        embedding: D.
        classes: C.
        s: scale.
        m: margin, radians on the angle and off the cosine.
        h: how much of the lengths' spread is used; 0 = CosFace with margin m.
        t_alpha: weight of the newest batch in mean and deviation, which take their own batch in before they are used.
    """

    def __init__(
        self, embedding: int, classes: int, s: float = 64.0, m: float = 0.4, h: float = 0.333, t_alpha: float = 0.01
    ) -> None:
        super().__init__(embedding, classes, s)
        self.m, self.h, self.t_alpha = m, h, t_alpha
        self.statistic = Statistic({"batch_mean": 20.0, "batch_std": 100.0}, self.lengths, self.moved)

    def hybrid_forward(self, F: Any, embedding: Any, label: Any, mean: Any, deviation: Any, *, weight: Any) -> Any:
        limit = self.s * (1.0 - _EPS)
        logits = F.clip(self.cosines(F, embedding, weight), -limit, limit)
        own = F.pick(logits, label, axis=1)
        length = F.BlockGrad(_length(F, embedding))
        z = F.broadcast_div(F.broadcast_sub(length, mean) * self.h, deviation + _EPS)
        shift = F.clip(z, -1.0, 1.0) * self.m
        theta = F.clip(F.arccos(own * (1.0 / self.s)) - shift, _EPS, math.pi - _EPS)
        target = (F.cos(theta) - shift - self.m) * self.s
        return self.add_at_label(F, logits, label, F.expand_dims(target - own, axis=1))

    def lengths(self, embedding: NDArray, label: NDArray) -> NDArray:
        """(b,): the length of each row's embedding."""
        return _length(nd, embedding)

    def moved(self, values: Sequence[NDArray], rows: NDArray, labeled: NDArray) -> list[NDArray]:
        """Mean and deviation (that of a sample, n - 1) with a batch taken in; one row alone has no deviation."""
        mean, deviation = values
        number = labeled.sum()
        new_mean = (rows * labeled).sum() / nd.maximum(number, 1)
        squares = (nd.square(rows - new_mean) * labeled).sum()
        new_deviation = nd.sqrt(squares / nd.maximum(number - 1, 1))
        alpha = self.t_alpha
        return [
            nd.where(number > 0, new_mean * alpha + mean * (1 - alpha), mean),
            nd.where(number > 1, new_deviation * alpha + deviation * (1 - alpha), deviation),
        ]


def _length(F: Any, embedding: Any) -> Any:
    return F.clip(F.sqrt(F.sum(F.square(embedding), axis=1)), _SHORTEST, _LONGEST)


def adaface(config: HeadConfig, embedding: int, classes: int) -> AdaFaceHead:
    """``adaface``: options ``m``, ``h``, ``t_alpha``."""
    margins_of(config, {})
    known = {"m": Option(0.4, 0.0, 1.5), "h": Option(0.333, 0.0, 100.0), "t_alpha": Option(0.01, 0.0, 1.0)}
    return AdaFaceHead(embedding, classes, config.s, **options_of(config, known))
