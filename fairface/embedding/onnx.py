"""Photographs -> embeddings with a net in an ONNX file, without MXNet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import CheckpointFiles, resolve
from fairface.embedding.embedder import Embedder, Pixels, Rows
from fairface.embedding.fusion import Fusion, flip_sum
from fairface.errors import CheckpointError, ConfigError, DeviceError
from fairface.interop.onnx import pixels as pixel_forms
from fairface.interop.onnx.session import OnnxNet, open_net, planes
from fairface.threads import work_ahead


@dataclass(frozen=True)
class OnnxModel:
    """A recognition network in an ONNX file.

    Attributes:
        net: the network, as ONNX Runtime runs it.
        pixels: what it wants of its images.
        name: what the user wrote.
        files: where it came from.
    """

    net: OnnxNet
    pixels: pixel_forms.Pixels
    name: str
    files: CheckpointFiles

    @property
    def image_size(self) -> int:
        """Height and width in pixels of the faces that it takes."""
        return self.net.image_size

    @property
    def layout(self) -> str:
        """Where it expects the faces' landmarks (:mod:`fairface.faces.layouts`)."""
        return self.net.layout

    @property
    def embedding(self) -> int:
        """Length D of an embedding."""
        return self.net.dimensions

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embeddings ``(B, D)``, not normalised, of RGB 0..255 ``(B, 3, H, W)``."""
        return self.net(self.pixels.prepare(x))

    def run(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same of one part, by the caller's thread (:meth:`OnnxNet.parts`)."""
        return self.net.run(self.pixels.prepare(x))


def load_onnx(name: str, devices: str = "", pixels: str = "", colour: str = "", threads: int = 0) -> OnnxModel:
    """Load the ONNX file ``name``: an export of this library, or another's recognition network.

    Args:
        name: the file.
        devices: empty or ``cpu0``.
        pixels, colour: what the network takes, where neither its metadata nor its graph shows it
            (:func:`fairface.interop.onnx.pixels.choose_pixels`).
        threads: parts of a batch that run at once; 0: ``OMP_NUM_THREADS`` or else the physical cores.

    Raises:
        CheckpointError: no such file, or not a network from a square RGB image to one embedding.
        ConfigError: what it takes is not known, or named otherwise than the file says.
        DeviceError: a GPU.
    """
    if devices not in ("", "cpu", "cpu0"):
        raise DeviceError(f"--devices {devices}: ONNX files run on the CPU; leave --devices out")
    files = resolve(name)
    try:
        content = files.params.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read ({error.strerror}); name another file") from error
    net = open_net(content, name, threads)
    return OnnxModel(net, pixel_forms.choose_pixels(name, content, net.metadata, pixels, colour), name, files)


class OnnxEmbedder(Embedder):
    """Embeds images with a network that takes RGB 0..255 ``(B, 3, H, W)`` and gives ``(B, D)``.

    The net's threads run small parts of a batch, each of one view, and go on with the next batch at once.

    Args:
        net: from :func:`load_onnx`, or an export's; it says how many parts run at once.
        batch_size, flip, threads, show_progress, resize, fuse: as in :class:`Embedder`.

    Raises:
        ConfigError: a batch size below one.
    """

    fixed_shape = False

    def __init__(
        self, net: OnnxModel | OnnxNet, batch_size: int = 64, flip: bool = True, threads: int = 0,
        show_progress: bool = True, resize: bool = False, fuse: Fusion = flip_sum,
    ) -> None:  # fmt: skip
        if batch_size < 1:
            raise ConfigError(f"embedding needs a batch size of 1 or more, not {batch_size}")
        self.net = net
        self._net = net.net if isinstance(net, OnnxModel) else net
        super().__init__(batch_size, flip, net.image_size, threads, show_progress, resize, fuse, net.layout)

    def run(self, batches: Iterable[Pixels]) -> Iterator[Rows]:
        """Two batches are in work at a time, so that no thread waits for the last part of one."""
        for views in work_ahead(map(self._plan, batches), self._net.threads, 1):
            yield self.fuse(views[0], views[1]) if self.flip else views[0]

    def _plan(self, batch: Pixels) -> tuple[Rows, list[Callable[[], None]]]:
        """Embeddings (views, B, D) to be filled, and the jobs that fill them."""
        views = np.empty((1 + self.flip, len(batch), self._net.dimensions), np.float32)

        def fill(part: slice, view: int) -> None:
            pixels = batch[part, :, ::-1] if view else batch[part]
            views[view, part] = self.net.run(planes(pixels))

        parts = self._net.parts(len(batch), len(views))
        return views, [partial(fill, part, view) for part in parts for view in range(len(views))]
