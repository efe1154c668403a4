"""MV-Softmax (Wang et al. 2020, "Mis-classified vector guided softmax loss for face recognition").

A hard class, one that scores above the target with its margin, gets ``s * (mask * cosine + mask - 1)``; the margin
is CosFace's (``mv_am``) or ArcFace's (``mv_arc``). The published code leaves it out for rows far from their class:
``mv_am_easy`` where the cosine is not above m3, ``mv_arc_easy`` beyond 90 degrees. The threshold for hard classes keeps
the margin there.
"""

from __future__ import annotations

from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.options import Option, margins_of, options_of
from fairface.heads.svx import LARGEST_MASK, SVXMargin


class MVSoftmaxMargin(SVXMargin):
    """MV-Softmax with an additive margin, m2 on the angle or m3 on the cosine.

    Args:
        mask: weight of hard classes, at least 1.
        easy: leave the margin out where the target's cosine is not above m3.
        margins: ``s``, ``m2``, ``m3``.
    """

    def __init__(self, mask: float = 1.12, easy: bool = False, **margins: float) -> None:
        super().__init__(mask, **margins)
        self.easy = easy

    def with_margin(self, F: Any, cosine: Any) -> Any:
        with_margin = super().with_margin(F, cosine)
        return F.where(cosine > self.m3, with_margin, cosine) if self.easy else with_margin

    def threshold(self, F: Any, cosine: Any) -> Any:
        return super().with_margin(F, cosine)


def mv_softmax(angular: bool, easy: bool, config: HeadConfig) -> MVSoftmaxMargin:
    """``mv_arc`` (m2 0.35) or ``mv_am`` (m3 0.35), as published or with the margin everywhere; option ``mask``."""
    options = options_of(config, {"mask": Option(1.12, 1.0, LARGEST_MASK)})
    margins = margins_of(config, {"m2" if angular else "m3": 0.35})
    return MVSoftmaxMargin(options["mask"], easy, s=config.s, **margins)
