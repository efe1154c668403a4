"""A class filter for noisy data: an identity under two labels is not pushed away from itself."""

from __future__ import annotations

from typing import Any

from fairface.errors import ConfigError
from fairface.heads.base import Margin, Target


class FilteredMargin(Margin):
    """Another margin, with the cosines of other classes than the target that are above a threshold set to 0.

    Such a class is likely the same person under another label. Its logit becomes that of a right angle, without
    gradient, as in arcface_torch (``interclass_filtering_threshold``; partial FC, An et al. 2022).

    Args:
        margin: the margin of what is left.
        threshold: a cosine, above 0, at most 1.

    Raises:
        ConfigError: a threshold out of range, or a margin that knows no cosines.
    """

    reshapes = True

    def __init__(self, margin: Margin, threshold: float) -> None:
        super().__init__(margin.s)
        if not 0 < threshold <= 1:
            raise ConfigError(f"head.interclass_filter is {threshold}; it is a cosine: above 0, at most 1")
        if not margin.normalises:
            raise ConfigError("head.interclass_filter needs cosines, which this head does not have; take norm_softmax")
        self.margin = margin
        self.threshold = threshold
        self.uses_length = margin.uses_length
        self.statistic = margin.statistic

    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        assert target is not None
        # The comparison has no gradient, and must not look for one (see HardNegativeMargin).
        other = F.BlockGrad(scaled) > self.s * self.threshold
        kept = F.where(F.elemwise_mul(other, 1 - target.mask), F.zeros_like(scaled), scaled)
        return self.margin(F, kept, target if self.margin.uses_label else None, length, *statistics)
