"""Margins in circle loss's form: every cosine is weighed by its distance from the best one (Sun et al. 2020).

The weights take part in the gradient, as in the fair-face system; the paper holds them fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from fairface.config.schema import HeadConfig
from fairface.heads.base import Margin, Target
from fairface.heads.options import Option, margins_of, options_of


class Curves(Protocol):
    """Two curves over the cosine, element by element, without the scale."""

    def positive(self, F: Any, cosine: Any) -> Any:
        """For the target (or a positive pair)."""

    def negative(self, F: Any, cosine: Any) -> Any:
        """For every other class (or a negative pair)."""


class CircleMargin(Margin):
    """``s`` times one curve for the target and another for all others; rows without a label have others only.

    Args:
        s: scale, gamma in the papers.
        curves: the two curves.
    """

    reshapes = True

    def __init__(self, s: float, curves: Curves) -> None:
        super().__init__(s)
        self.curves = curves

    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        assert target is not None
        cosine = scaled * (1.0 / self.s)
        logits = self.curves.negative(F, cosine) * self.s
        return target.add(F, logits, self.curves.positive(F, target.cosine) * self.s - target.pick(F, logits))


@dataclass(frozen=True)
class SoftmaxCircle:
    """Circle loss on ``p = (cosine + 1) / 2``, from 0 to 1.

    Positive: ``(1 + m - p) * (p - (1 - m))``; negative: ``(p + m) * (p - m)``. The papers' cut at weight 0 never
    acts, since p stays within 0..1.
    """

    margin: float

    def positive(self, F: Any, cosine: Any) -> Any:
        return self.margin**2 - F.square(0.5 - cosine * 0.5)

    def negative(self, F: Any, cosine: Any) -> Any:
        return F.square(cosine * 0.5 + 0.5) - self.margin**2


def softmax_circle(config: HeadConfig) -> CircleMargin:
    """``softmax_circle``: option ``margin``, on p."""
    margins_of(config, {})
    options = options_of(config, {"margin": Option(0.25, 0.0, 1.0)})
    return CircleMargin(config.s, SoftmaxCircle(options["margin"]))
