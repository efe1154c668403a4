"""Photographs -> embeddings with an MXNet net."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.embedding.embedder import Embedder, Pixels, Rows
from fairface.embedding.fusion import Fusion, flip_sum
from fairface.errors import ConfigError
from fairface.faces.layouts import ARCFACE
from fairface.mx import Context, gluon, nd
from fairface.parallel import to_input


class NetEmbedder(Embedder):
    """Embeds images with a net ``(B, 3, H, W)`` float32 RGB 0..255 -> ``(B, D)``.

    Args:
        net: the block, with its parameters on all ``contexts``.
        contexts: devices; each takes an equal part of a batch.
        batch_size: images in a step, over all devices; rounded up to a multiple of their number.
        flip, image_size, threads, show_progress, resize, fuse, layout: as in :class:`Embedder`.

    Raises:
        ConfigError: no context, or a batch size below one.
    """

    def __init__(
        self,
        net: gluon.Block,
        contexts: Sequence[Context],
        batch_size: int = 64,
        flip: bool = True,
        image_size: int | None = None,
        threads: int = 0,
        show_progress: bool = True,
        resize: bool = False,
        fuse: Fusion = flip_sum,
        layout: str = ARCFACE,
    ) -> None:
        if not contexts:
            raise ConfigError("embedding needs a device; name one, such as cpu0")
        if batch_size < 1:
            raise ConfigError(f"embedding needs a batch size of 1 or more, not {batch_size}")
        self.net = net
        self.contexts = list(contexts)
        self.shard = -(-batch_size // len(contexts))
        super().__init__(self.shard * len(contexts), flip, image_size, threads, show_progress, resize, fuse, layout)

    def run(self, batches: Iterable[Pixels]) -> Iterator[Rows]:
        """One batch is in the net while the results of the one before are fetched."""
        running: deque[Callable[[], Rows]] = deque()
        for batch in batches:
            running.append(self._start(batch))
            if len(running) > 1:
                yield running.popleft()()
        yield running.popleft()()

    def _start(self, batch: Pixels) -> Callable[[], Rows]:
        """Start the net on all devices; nothing is waited for, but by what comes back."""
        results = []
        for k, context in enumerate(self.contexts):
            inputs = to_input(batch[k * self.shard : (k + 1) * self.shard], context)
            results.append((self.net(inputs), self.net(nd.flip(inputs, axis=3)) if self.flip else None))
        return lambda: _fetch(results, self.fuse)


def _fetch(shards: list[tuple[Any, Any]], fuse: Fusion) -> NDArray[np.float32]:
    parts = []
    for original, flipped in shards:
        one = original.asnumpy()
        parts.append(one if flipped is None else fuse(one, flipped.asnumpy()))
    return np.concatenate(parts).astype(np.float32, copy=False)
