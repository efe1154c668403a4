"""DropBlock (Ghiasi, Lin and Le 2018): dropout of squares of a feature map instead of single values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fairface.mx import gluon, nn


class DropBlock(nn.HybridBlock):
    """Drops ``block x block`` squares of every channel in training and scales what is left; the input in inference.

    Centres are drawn from the positions around which a whole square lies inside the map, with the paper's probability
    ``gamma = p * size**2 / block**2 / (size - block + 1)**2``, and what is kept is multiplied by values / kept values.
    One mask serves all images of a device's batch, as in the fair-face system: drawn once, whatever the batch's size.
    The draw follows ``mx.random.seed``.

    Whether it acts is decided where the graph runs, not where it is traced, so a hybridized net that was first used for
    inference still drops in training. The centres are drawn by a Dropout layer: what freezes those freezes this.

    Args:
        probability: share of the map's values that is dropped.
        size: height and width of the map; below ``block``, single values are dropped.
        block: side of a square, odd.
    """

    def __init__(self, probability: float, size: int, block: int = 3) -> None:
        super().__init__()
        self._side = block if size >= block else 1
        centres = size - self._side + 1
        self.centres = nn.Dropout(probability * size**2 / self._side**2 / centres**2)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        if self.centres._rate == 0:
            return x
        edge = self._side - 1
        inner = F.slice(x, begin=(0, 0, edge, edge), end=(1, None, None, None))
        hit = 1.0 - (self.centres(F.ones_like(inner)) > 0)
        dropped = F.Pooling(hit, kernel=(self._side, self._side), pad=(edge, edge), pool_type="max")
        mask = 1.0 - dropped
        # The mean, not the sum: in float16 a sum of ones soon overflows.
        kept = F.maximum(F.mean(mask, axis=(0, 1, 2, 3), keepdims=True), 1e-6)
        # Spread first: the gradient of a broadcast product takes three times as long as that of an elementwise one.
        return F.elemwise_mul(x, F.broadcast_like(F.BlockGrad(F.broadcast_div(mask, kept)), x))


@contextmanager
def without_dropblock(block: gluon.Block) -> Iterator[None]:
    """While it lasts, what ``block`` traces to a symbol holds no DropBlock: for graphs that only infer."""
    found: list[DropBlock] = []
    block.apply(lambda child: found.append(child) if isinstance(child, DropBlock) else None)
    rates = [child.centres._rate for child in found]
    try:
        for child in found:
            child.centres._rate = 0.0
        yield
    finally:
        for child, rate in zip(found, rates, strict=True):
            child.centres._rate = rate
