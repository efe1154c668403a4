"""A trained model by its name, and what it makes of aligned faces: the embedding half of the public face."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import is_onnx
from fairface.data.types import Dataset
from fairface.embedding.embedder import Embedder
from fairface.embedding.onnx import OnnxEmbedder, OnnxModel, load_onnx
from fairface.embedding.thresholds import Thresholds, thresholds_of
from fairface.errors import DataError

if TYPE_CHECKING:
    from fairface.interop.models import LoadedModel
    from fairface.mx import Context


@dataclass(frozen=True)
class Model:
    """A trained model on its devices; :func:`load_model` makes it.

    Attributes:
        loaded: the net and where it came from.
        contexts: the devices; each takes an equal part of a batch. empty for an ONNX file, which runs on the CPU.
        batch_size: images in a step, over all devices.

    >>> from fairface import load_model
    >>> model = load_model("models/r50,0")
    >>> model.name, model.image_size, model.dimensions
    ('models/r50,0', 112, 512)
    """

    loaded: LoadedModel | OnnxModel
    contexts: tuple[Context, ...]
    batch_size: int = 64

    @property
    def name(self) -> str:
        """What the model was called when it was loaded."""
        return self.loaded.name

    @property
    def image_size(self) -> int:
        """Height and width in pixels of the faces that it takes."""
        return self.loaded.image_size

    @property
    def layout(self) -> str:
        """Where it expects the faces' landmarks: ``arcface``, or ``dlib`` (:mod:`fairface.faces.layouts`)."""
        return self.loaded.layout

    @property
    def dimensions(self) -> int:
        """Length D of an embedding."""
        return self.loaded.embedding

    @cached_property
    def thresholds(self) -> Thresholds:
        """The thresholds that were saved with this checkpoint, for :func:`fairface.decide`.

        Raises:
            CheckpointError: there are none, they belong to another checkpoint, or the file is damaged.
        """
        return thresholds_of(self.loaded.files)

    def embed(self, images: Any, flip: bool = True) -> NDArray[np.float32]:
        """:func:`embed` with this model."""
        return self._embedder(flip).embed(_as_batch(images))

    def forward(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embeddings ``(B, D)``, not normalised, of RGB 0..255 ``(B, 3, H, W)``; one batch, on the first device."""
        if isinstance(self.loaded, OnnxModel):
            return self.loaded(x)
        from fairface.mx import nd

        return np.asarray(self.loaded.net(nd.array(x, ctx=self.contexts[0])).asnumpy())

    def _embedder(self, flip: bool) -> Embedder:
        if isinstance(self.loaded, OnnxModel):
            return OnnxEmbedder(self.loaded, self.batch_size, flip, show_progress=False)
        from fairface.embedding.mxnet import NetEmbedder

        return NetEmbedder(
            self.loaded.net, self.contexts, self.batch_size, flip, self.image_size, show_progress=False,
            layout=self.layout,
        )  # fmt: skip


def load_model(
    name: str, devices: str = "", batch_size: int = 64, output: str = "models", pixels: str = "", colour: str = ""
) -> Model:
    """Load a trained model: ``run``, ``run@step``, ``prefix,epoch`` of an MXNet model, a file of PyTorch or ONNX, or
    ``dlib`` (all forms: :mod:`fairface.checkpoints`).

    Args:
        name: the checkpoint; runs are looked for below ``output`` too.
        devices: such as ``cpu0`` or ``gpu0,gpu1``; empty: GPU 0, else CPU 0.
        batch_size: images in a step, over all devices.
        output: the folder of runs.
        pixels, colour: what another's ONNX file takes, where its graph does not show it: ``raw`` or ``minus127.5/128``,
            ``rgb`` or ``bgr``.

    Raises:
        CheckpointError: no such checkpoint, or one that gives no embeddings.
        ConfigError: what an ONNX file takes is not known.
        DeviceError: a device that is not there.
        MissingPackageError: MXNet is not installed, and the model is no ONNX file.

    >>> from fairface import load_model
    >>> load_model("models/r50,0", devices="cpu0").dimensions
    512
    >>> load_model("nowhere/r34,0")
    Traceback (most recent call last):
    fairface.errors.CheckpointError: nowhere/r34,0: there is no nowhere/r34-symbol.json
    """
    if is_onnx(name):
        return Model(load_onnx(name, devices, pixels, colour), (), batch_size)
    from fairface.interop import models
    from fairface.parallel import contexts_of

    contexts = contexts_of(devices)
    return Model(models.load_model(name, contexts, output), tuple(contexts), batch_size)


def embed(model: Model, images: Any, flip: bool = True) -> NDArray[np.float32]:
    """Embeddings ``(N, D)`` float32, not normalised, of N aligned faces.

    Args:
        model: from :func:`load_model`.
        images: uint8 ``(N, H, W, 3)`` RGB, a list of ``(H, W, 3)`` (what :func:`fairface.align` gives), a list of
            encoded images (JPEG, PNG … as bytes), or a :class:`~fairface.data.types.Dataset`.
        flip: add the embedding of the mirrored image, as verification with ArcFace's models does.

    Raises:
        DataError: no image, one that cannot be decoded, or one of another size than the model takes.

    >>> import numpy as np
    >>> from fairface import embed, load_model
    >>> model = load_model("models/r50,0")
    >>> faces = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), np.uint8)
    >>> embeddings = embed(model, faces)
    >>> embeddings.shape, embeddings.dtype
    ((3, 512), dtype('float32'))
    """
    return model.embed(images, flip)


def _as_batch(images: Any) -> Dataset | Sequence[bytes] | NDArray[np.uint8]:
    """``images``; a list of arrays as one array. Paths are refused: what they name need not be an aligned face."""
    listed = [images] if isinstance(images, (str, os.PathLike)) else images if isinstance(images, (list, tuple)) else []
    named = next((image for image in listed if isinstance(image, (str, os.PathLike))), None)
    if named is not None:
        raise DataError(f"{os.fspath(named)!r} is a path, not an aligned face; give align({os.fspath(named)!r})")
    if not isinstance(images, (list, tuple)) or not any(isinstance(image, np.ndarray) for image in images):
        return images  # type: ignore[no-any-return]
    first = getattr(images[0], "shape", type(images[0]).__name__)
    for index, image in enumerate(images):
        if getattr(image, "shape", type(image).__name__) != first:
            what = getattr(image, "shape", type(image).__name__)
            raise DataError(f"image {index} is {what}, image 0 is {first}; align all faces to one size")
    return np.stack(images)
