"""CurricularFace (Huang et al. 2020): hard negatives count little at first and more as the training gets on.

A hard class, one that scores above ``s * cos(theta + m2)`` of the target's angle, gets ``s * cosine * (t + cosine)``.
``t`` follows the mean cosine between rows and their targets, so it grows while the net learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.margin import AngularMargin
from fairface.heads.options import Option, margins_of, options_of
from fairface.heads.statistics import TARGET, Statistic
from fairface.heads.svx import HardNegativeMargin
from fairface.mx import NDArray, nd


class CurricularMargin(HardNegativeMargin):
    """ArcFace's margin, continued downwards beyond pi, with the statistic ``t (1,)``.

    The bound for hard classes is not continued, as in the published code.

    Args:
        s: scale.
        m2: margin in radians.
        alpha: weight of the newest batch in ``t``, which takes its own batch in before it is used. The paper's code has
            0.01, TFace and UFace 0.1.
    """

    def __init__(self, s: float = 64.0, m2: float = 0.5, alpha: float = 0.1) -> None:
        super().__init__(s, m2=m2, beyond_pi="linear")
        self.alpha = alpha
        self.statistic = Statistic({"t": 0.0}, TARGET, self.moved)
        self._bound = AngularMargin(s, m2=m2)

    def threshold(self, F: Any, cosine: Any) -> Any:
        return self._bound.with_margin(F, cosine)

    def reweigh(self, F: Any, logits: Any, *statistics: Any) -> Any:
        (t,) = statistics
        return logits * F.broadcast_add(logits * (1.0 / self.s), F.reshape(t, shape=(1, 1)))

    def moved(self, values: Sequence[NDArray], rows: NDArray, labeled: NDArray) -> list[NDArray]:
        """``t`` with a batch's mean taken in."""
        (t,) = values
        number = labeled.sum()
        mean = (rows * labeled).sum() / nd.maximum(number, 1)
        return [nd.where(number > 0, mean * self.alpha + t * (1 - self.alpha), t)]


def curricularface(config: HeadConfig) -> CurricularMargin:
    """``curricularface``: m2 0.5 by default; option ``alpha``."""
    options = options_of(config, {"alpha": Option(0.1, 0.0, 1.0)})
    margins = margins_of(config, {"m2": 0.5})
    return CurricularMargin(config.s, margins["m2"], options["alpha"])
