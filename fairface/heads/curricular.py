"""CurricularFace (Huang et al. 2020): hard negatives count little at first and more as the training gets on.

A hard class, one that scores above the own class with its margin, gets ``s * cosine * (t + cosine)``. ``t`` follows the
mean cosine between rows and their own classes, so it grows while the net learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.options import Option, margins_of, options_of
from fairface.heads.statistics import Statistic
from fairface.heads.svx import HardNegativeHead
from fairface.mx import NDArray, nd


class CurricularHead(HardNegativeHead):
    """``(embedding (B, D), label (B,), t (1,)) -> logits (B, C)``; ArcFace's margin, continued downwards beyond pi.

    Args:
        embedding: D.
        classes: C.
        s: scale.
        m2: margin in radians.
        alpha: weight of the newest batch in ``t``, which takes its own batch in before it is used. The paper's code has
            0.01, TFace and UFace 0.1.
    """

    def __init__(self, embedding: int, classes: int, s: float = 64.0, m2: float = 0.5, alpha: float = 0.1) -> None:
        super().__init__(embedding, classes, s, m2=m2, beyond_pi="linear")
        self.alpha = alpha
        self.statistic = Statistic({"t": 0.0}, self.own_cosine, self.moved)

    def reweigh(self, F: Any, logits: Any, *statistics: Any) -> Any:
        (t,) = statistics
        return logits * F.broadcast_add(logits * (1.0 / self.s), F.reshape(t, shape=(1, 1)))

    def own_cosine(self, embedding: NDArray, label: NDArray) -> NDArray:
        """(b,): cosine between each row and its own class."""
        return self.own_logit(embedding, label) / self.s

    def moved(self, values: Sequence[NDArray], rows: NDArray, labeled: NDArray) -> list[NDArray]:
        """``t`` with a batch's mean taken in."""
        (t,) = values
        number = labeled.sum()
        mean = (rows * labeled).sum() / nd.maximum(number, 1)
        return [nd.where(number > 0, mean * self.alpha + t * (1 - self.alpha), t)]


def curricularface(config: HeadConfig, embedding: int, classes: int) -> CurricularHead:
    """``curricularface``: m2 0.5 by default; option ``alpha``."""
    options = options_of(config, {"alpha": Option(0.1, 0.0, 1.0)})
    margins = margins_of(config, {"m2": 0.5})
    return CurricularHead(embedding, classes, config.s, margins["m2"], options["alpha"])
