"""The classifier without normalisation and margin: a fully connected layer without bias."""

from __future__ import annotations

from typing import Any

from fairface.heads.base import Margin, Target


class NoMargin(Margin):
    """``logits = embedding . weight``, what the fair-face system calls ``softmax``."""

    normalises = False

    def __init__(self) -> None:
        super().__init__(1.0)

    @property
    def uses_label(self) -> bool:
        return False

    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        return scaled
