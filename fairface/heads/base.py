"""The contract of a margin: what a head does to the cosines of a batch, apart from whose weights they come from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from fairface.errors import ConfigError
from fairface.heads.statistics import Statistic


@dataclass(frozen=True)
class Target:
    """What a margin knows of each row's target, wherever the target's column is.

    Attributes:
        cosine: (B, 1), of each row's target; any number for rows without a label.
        labeled: (B, 1), 1 for rows with a label.
        column: (B,), the target's column in this matrix; any number where it lies in another one or there is none.
        mask: (B, C), 1 in the target's column, else 0; a row without a 1 has its target in another matrix, or no label.
    """

    cosine: Any
    labeled: Any
    column: Any
    mask: Any

    def pick(self, F: Any, logits: Any) -> Any:
        """(B, 1): each row's value of ``logits (B, C)`` in the target's column, any where it is not in this matrix."""
        return F.pick(logits, self.column, axis=1, keepdims=True)

    def add(self, F: Any, logits: Any, difference: Any) -> Any:
        """``logits (B, C)`` with ``difference (B, 1)`` added in the target's column; rows without one stay."""
        return F.elemwise_add(logits, F.broadcast_mul(self.mask, difference))


class Margin(ABC):
    """Scaled cosines of a batch to its logits: a pure function, without parameters.

    A matrix of cosines need not hold every class. Where classes lie in several matrices (shards, virtual classes), a
    margin is applied to each of them; what it has to know of the target comes as an argument, so that the logits side
    by side are those of one matrix.

    Args:
        s: scale of all logits, above 0.

    Attributes:
        normalises: embeddings and class weights are brought to unit length before they are multiplied.
        uses_label: the logits depend on the label.
        uses_length: the margin depends on the embeddings' lengths.
        reshapes: other columns than the target's differ from ``s * cosine``, too.
        statistic: running statistics of the whole batch that it takes as further arguments; None = it has none.

    Raises:
        ConfigError: ``s`` is not above 0.
    """

    normalises: bool = True
    uses_length: bool = False
    reshapes: bool = False
    statistic: Statistic | None = None

    def __init__(self, s: float) -> None:
        if not 0 < s < math.inf:
            raise ConfigError(f"head.s is {s}; the scale must be above 0")
        self.s = s

    @property
    def uses_label(self) -> bool:
        return True

    @abstractmethod
    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        """The logits (B, C).

        Args:
            F: ``mx.nd`` or ``mx.sym``.
            scaled: (B, C), ``s`` times the cosine between each row and each class of this matrix.
            target: each row's target; None where ``uses_label`` is False.
            length: (B, 1), lengths of the embeddings, where ``uses_length``; else None.
            statistics: (1,) each, in the order of ``statistic.start``.
        """
