"""Channel gates on CPUs: the average of a map and the product with a gate, in forms with a fast way back.

MXNet 1.9.1 computes both well forward, but oneDNN's gradient of average pooling over a large window is slow: 92 ms for
8 x 64 maps of 56x56 on one core, where a 1x1 convolution takes 5 ms forward and back. So is the gradient of a broadcast
product, 35 ms. The same averages as a chain of small windows, and the product as a batch of matrix products, take 2 and
9 ms. GPUs have fast kernels for the plain operators.
"""

from __future__ import annotations

from typing import Any

from fairface.mx import nn

_WINDOW = 8  # largest window of one step


def map_size(size: int, form: str) -> int | None:
    """``size`` where the forms of this file are wanted (``onednn``), None for the plain operators (``native``)."""
    return size if form == "onednn" else None


def global_average(size: int | None) -> nn.HybridSequential:
    """``(B, C, size, size)`` to ``(B, C, 1, 1)``; with None the plain operator, for maps of any size."""
    steps = nn.HybridSequential()
    if size is None:
        steps.add(nn.GlobalAvgPool2D())
        return steps
    while size > 1:
        window = next((w for w in range(min(_WINDOW, size), 1, -1) if size % w == 0), size)
        steps.add(nn.AvgPool2D(window, window))
        size //= window
    return steps


def gated(F: Any, x: Any, gate: Any, channels: int, size: int | None) -> Any:
    """``x (B, channels, size, size)`` times ``gate (B, channels, 1, 1)``; with None the plain operator."""
    if size is None:
        return F.broadcast_mul(x, gate)
    rows = F.reshape(x, shape=(-1, 1, size * size))
    product = F.batch_dot(F.reshape(gate, shape=(-1, 1, 1)), rows)
    return F.reshape(product, shape=(-1, channels, size, size))
