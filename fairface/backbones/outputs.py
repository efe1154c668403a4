"""The layers from feature map to embedding that a configuration can name (``backbone.output``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fairface.backbones.blocks import OutputE, OutputGDC
from fairface.backbones.fusion_output import OutputECCV
from fairface.mx import gluon

OUTPUTS: dict[str, Callable[[int, int, int, float], gluon.HybridBlock]] = {
    "E": OutputE,
    # insightface leaves the map's BatchNorm at MXNet's default epsilon.
    "GDC": partial(OutputGDC, epsilon=1e-3),
    "ECCV": OutputECCV,
}


def build_output(kind: str, channels: int, size: int, embedding: int, dropout: float) -> gluon.HybridBlock:
    """The output layers ``kind`` of :data:`OUTPUTS`: ``(B, channels, size, size)`` to ``(B, embedding)``."""
    return OUTPUTS[kind](channels, size, embedding, dropout)
