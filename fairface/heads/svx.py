"""Margins that weigh hard negatives: columns that score above the target with its margin.

SV-X-Softmax (Wang et al. 2018, "Support vector guided softmax loss for face recognition"), the fair-face system's
``marginface``; and the same idea in MV-Softmax and CurricularFace, which build on :class:`HardNegativeMargin`.
"""

from __future__ import annotations

from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.base import Target
from fairface.heads.margin import AngularMargin
from fairface.heads.options import Option, margins_of, options_of

LARGEST_MASK = 10.0


class HardNegativeMargin(AngularMargin):
    """Margins with a second curve for the classes that a row is mistaken for.

    Where another class's cosine is above ``threshold`` (the target's with its margins), :meth:`reweigh` takes its
    place. Rows without a label have no threshold and stay as they are.
    """

    reshapes = True

    @property
    def uses_label(self) -> bool:
        return True

    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        assert target is not None
        # A comparison has no gradient. Without BlockGrad, MXNet 1.9.1 still walks back into the threshold with none in
        # hand, and crashes in `where`.
        threshold = self.threshold(F, F.BlockGrad(target.cosine)) * self.s
        hard = F.broadcast_mul(F.broadcast_greater(scaled, threshold), target.labeled)
        logits = F.where(hard, self.reweigh(F, scaled, *statistics), scaled)
        return target.add(F, logits, self.with_margin(F, target.cosine) * self.s - target.pick(F, logits))

    def threshold(self, F: Any, cosine: Any) -> Any:
        """(B, 1): the cosine above which another class is a hard one."""
        return self.with_margin(F, cosine)

    def reweigh(self, F: Any, logits: Any, *statistics: Any) -> Any:
        """The logits of hard classes, element by element."""
        return logits


class SVXMargin(HardNegativeMargin):
    """SV-X: a hard class gets ``s * (mask * cosine + mask - 1)``.

    Args:
        mask: at least 1; 1 = no re-weighting, which is the plain margin. The paper takes 1.2.
        margins: ``s``, ``m1``, ``m2``, ``m3`` as in :class:`AngularMargin`.
    """

    def __init__(self, mask: float = 1.2, **margins: float) -> None:
        super().__init__(**margins)  # type: ignore[arg-type]
        self.mask = mask

    def reweigh(self, F: Any, logits: Any, *statistics: Any) -> Any:
        return logits * self.mask + self.s * (self.mask - 1.0)


def svx(config: HeadConfig) -> SVXMargin:
    """``svx``: m2 0.5 by default as in ``marginface``; option ``mask``."""
    options = options_of(config, {"mask": Option(1.2, 1.0, LARGEST_MASK)})
    margins = margins_of(config, {"m1": 1.0, "m2": 0.5, "m3": 0.0})
    return SVXMargin(options["mask"], s=config.s, **margins)
