"""Heads that weigh hard negatives: columns that score above the own class with its margin.

SV-X-Softmax (Wang et al. 2018, "Support vector guided softmax loss for face recognition"), the fair-face system's
``marginface``; and the same idea in MV-Softmax and CurricularFace, which build on :class:`HardNegativeHead`.
"""

from __future__ import annotations

from typing import Any

from fairface.config.schema import HeadConfig
from fairface.heads.cosine import ReshapingCosineHead
from fairface.heads.margin import MarginHead
from fairface.heads.options import Option, margins_of, options_of

LARGEST_MASK = 10.0


class HardNegativeHead(ReshapingCosineHead, MarginHead):
    """A margin head with a second curve for the classes that a row is mistaken for.

    Where another class's cosine is above ``threshold`` (the own cosine with its margins), :meth:`reweigh` takes its
    place. Rows with label -1 have no threshold and stay as they are.
    """

    @property
    def uses_label(self) -> bool:
        return True

    def hybrid_forward(self, F: Any, embedding: Any, label: Any = None, *statistics: Any, weight: Any) -> Any:
        logits = self.cosines(F, embedding, weight)
        cosine = F.pick(logits, label, axis=1, keepdims=True) * (1.0 / self.s)
        labeled = F.cast(F.expand_dims(label >= 0, axis=1), dtype=self._dtype)
        # A comparison has no gradient. Without BlockGrad, MXNet 1.9.1 still walks back into the threshold with none in
        # hand, and crashes in `where`.
        threshold = self.threshold(F, F.BlockGrad(cosine)) * self.s
        hard = F.broadcast_mul(F.broadcast_greater(logits, threshold), labeled)
        logits = F.where(hard, self.reweigh(F, logits, *statistics), logits)
        own = F.pick(logits, label, axis=1, keepdims=True)
        return self.add_at_label(F, logits, label, self.target(F, cosine) * self.s - own)

    def threshold(self, F: Any, cosine: Any) -> Any:
        """(B, 1): the cosine above which another class is a hard one."""
        return self.target(F, cosine)

    def reweigh(self, F: Any, logits: Any, *statistics: Any) -> Any:
        """The logits of hard classes, element by element."""
        return logits


class SVXHead(HardNegativeHead):
    """SV-X: a hard class gets ``s * (mask * cosine + mask - 1)``.

    Args:
        embedding: D.
        classes: C.
        mask: at least 1; 1 = no re-weighting, which is the plain margin head. The paper takes 1.2.
        margins: ``s``, ``m1``, ``m2``, ``m3`` as in :class:`MarginHead`.
    """

    def __init__(self, embedding: int, classes: int, mask: float = 1.2, **margins: float) -> None:
        super().__init__(embedding, classes, **margins)  # type: ignore[arg-type]
        self.mask = mask

    def reweigh(self, F: Any, logits: Any, *statistics: Any) -> Any:
        return logits * self.mask + self.s * (self.mask - 1.0)


def svx(config: HeadConfig, embedding: int, classes: int) -> SVXHead:
    """``svx``: m2 0.5 by default as in ``marginface``; option ``mask``."""
    options = options_of(config, {"mask": Option(1.2, 1.0, LARGEST_MASK)})
    margins = margins_of(config, {"m1": 1.0, "m2": 0.5, "m3": 0.0})
    return SVXHead(embedding, classes, options["mask"], s=config.s, **margins)
