"""Heads in circle loss's form: every cosine is weighed by its distance from the best one (Sun et al. 2020).

The weights take part in the gradient, as in the fair-face system; the paper holds them fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from fairface.config.schema import HeadConfig
from fairface.heads.cosine import ReshapingCosineHead
from fairface.heads.options import Option, margins_of, options_of


class Curves(Protocol):
    """Two curves over the cosine, element by element, without the scale."""

    def own(self, F: Any, cosine: Any) -> Any:
        """For the own class (or a positive pair)."""

    def other(self, F: Any, cosine: Any) -> Any:
        """For every other class (or a negative pair)."""


class CircleHead(ReshapingCosineHead):
    """``s`` times one curve for the own class and another for all others; rows with label -1 have others only.

    Args:
        embedding: D.
        classes: C.
        s: scale, gamma in the papers.
        curves: the two curves.
    """

    def __init__(self, embedding: int, classes: int, s: float, curves: Curves) -> None:
        super().__init__(embedding, classes, s)
        self.curves = curves

    def hybrid_forward(self, F: Any, embedding: Any, label: Any, *, weight: Any) -> Any:
        cosine = self.cosines(F, embedding, weight) * (1.0 / self.s)
        logits = self.curves.other(F, cosine) * self.s
        target = self.curves.own(F, F.pick(cosine, label, axis=1, keepdims=True)) * self.s
        return self.add_at_label(F, logits, label, target - F.pick(logits, label, axis=1, keepdims=True))


@dataclass(frozen=True)
class SoftmaxCircle:
    """Circle loss on ``p = (cosine + 1) / 2``, from 0 to 1.

    Own: ``(1 + m - p) * (p - (1 - m))``; others: ``(p + m) * (p - m)``. The papers' cut at weight 0 never acts, since p
    stays within 0..1.
    """

    margin: float

    def own(self, F: Any, cosine: Any) -> Any:
        return self.margin**2 - F.square(0.5 - cosine * 0.5)

    def other(self, F: Any, cosine: Any) -> Any:
        return F.square(cosine * 0.5 + 0.5) - self.margin**2


def softmax_circle(config: HeadConfig, embedding: int, classes: int) -> CircleHead:
    """``softmax_circle``: option ``margin``, on p."""
    margins_of(config, {})
    options = options_of(config, {"margin": Option(0.25, 0.0, 1.0)})
    return CircleHead(embedding, classes, config.s, SoftmaxCircle(options["margin"]))
