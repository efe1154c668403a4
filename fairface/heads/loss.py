"""Cross-entropy per row."""

from __future__ import annotations

from typing import Any

from fairface.errors import ConfigError
from fairface.mx import gluon


class CrossEntropy(gluon.HybridBlock):
    """``(logits (B, C), label (B,)) -> loss (B,)``; 0 and without gradient for rows with label -1.

    The caller takes the mean, over the number of rows that it means (those of all devices).

    Args:
        smoothing: share of the target spread evenly over all C classes (Szegedy et al. 2016), 0..1.

    Raises:
        ConfigError: ``smoothing`` outside 0 to below 1.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__()
        if not 0 <= smoothing < 1:
            raise ConfigError(f"head.label_smoothing is {smoothing}; it must be 0 or more and below 1")
        self._smoothing = smoothing

    def hybrid_forward(self, F: Any, logits: Any, label: Any) -> Any:
        log_probability = F.log_softmax(logits, axis=-1)
        loss = -F.pick(log_probability, label, axis=1)
        if self._smoothing:
            loss = loss * (1.0 - self._smoothing) - F.mean(log_probability, axis=1) * self._smoothing
        return F.where(label >= 0, loss, F.zeros_like(loss))
