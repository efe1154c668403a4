"""AdaFace's way to an embedding, for programs that were written for it.

>>> from fairface.inference import get_aligned_face, load_pretrained_model, to_input
>>> model = load_pretrained_model("models/r50,0")
>>> feature, norm = model(to_input(get_aligned_face("ada.jpg")))
>>> feature.shape, norm.shape
((1, 512), (1, 1))

The names and shapes are AdaFace's; the input is ours: RGB from 0 to 255, because every net here normalises in its own
graph, and AdaFace's weights are turned from BGR to RGB when they are read. Arrays are numpy's. For new programs
:func:`fairface.load_model`, :func:`fairface.embed` and :func:`fairface.similarity` are shorter and faster.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.embedding.model import Model, load_model
from fairface.errors import DataError
from fairface.faces.detect import FaceDetector
from fairface.faces.main_crop import align
from fairface.interop.pretrained import PRETRAINED, find_checkpoint
from fairface.scoring.similarity import unit_rows

__all__ = ["PretrainedModel", "get_aligned_face", "load_pretrained_model", "to_input"]

CHANNELS, BRIGHTEST = 3, 255


class PretrainedModel(Model):
    """A :class:`~fairface.embedding.model.Model` that is also called as AdaFace's: ``feature, norm = model(x)``."""

    def __call__(self, x: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Unit features (B, D) float32 and the embeddings' norms (B, 1) float32, of images as they are (no flip).

        Args:
            x: (B, 3, H, W) float RGB 0..255, from :func:`to_input`; join several with ``numpy.concatenate``.

        Raises:
            DataError: another shape, values that are not 0..255, or an embedding without a direction.
        """
        images, side = np.asarray(x, np.float32), self.image_size
        if images.shape[1:] != (CHANNELS, side, side) or not len(images):
            raise DataError(f"the input has shape {images.shape}; this model takes (B, 3, {side}, {side})")
        if not (images.min() >= 0 and images.max() <= BRIGHTEST):  # NaN is neither
            raise DataError(
                f"the input has values from {images.min():.3g} to {images.max():.3g}; this model takes RGB 0..255 and "
                "normalises it itself: use fairface.inference.to_input"
            )
        step = self.batch_size
        parts = [self.forward(images[start : start + step]) for start in range(0, len(images), step)]
        embeddings = np.concatenate(parts).astype(np.float64)
        norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
        return unit_rows(embeddings).astype(np.float32), norms.astype(np.float32)


def load_pretrained_model(name_or_path: str = "ir_50", devices: str = "", folder: str = PRETRAINED) -> PretrainedModel:
    """A model by the name of its backbone, looked for in ``pretrained/``, or any checkpoint by its name.

    ``ir_50`` finds AdaFace's ``pretrained/adaface_ir50_ms1mv2.ckpt``
    (:func:`fairface.interop.pretrained.find_checkpoint`).

    Args:
        name_or_path: a backbone's name, or ``run``, ``run@step``, ``prefix,epoch``, a file of PyTorch or ONNX.
        devices: such as ``cpu0``; empty: GPU 0, else CPU 0.
        folder: where pretrained models lie.

    Raises:
        CheckpointError: no such model, several of that backbone, or damaged files.
        DeviceError: a device that is not there.
        MissingPackageError: MXNet is not installed.
    """
    model = load_model(find_checkpoint(name_or_path, folder), devices)
    return PretrainedModel(model.loaded, model.contexts, model.batch_size)


def get_aligned_face(
    photograph: str | os.PathLike[str] | NDArray[np.uint8] | Any, detector: FaceDetector | None = None, size: int = 112
) -> NDArray[np.uint8]:
    """The main face of a photograph: :func:`fairface.align`, ``(size, size, 3)`` uint8 RGB.

    Args:
        photograph: a path, ``(H, W, 3)`` uint8 RGB, or an RGB image of PIL.
        detector: ``None``: MTCNN.
        size: height and width of the crop.

    Raises:
        DataError: no face is found (AdaFace's function prints it and returns None), or no photograph.
        MissingPackageError: the nets of MTCNN are not installed.
    """
    is_path = isinstance(photograph, (str, os.PathLike))
    return align(photograph if is_path else np.asarray(photograph), detector=detector, size=size)


def to_input(aligned: NDArray[np.uint8] | Any) -> NDArray[np.float32]:
    """An aligned face as a model takes it: ``(1, 3, H, W)`` float32 RGB 0..255.

    AdaFace's function gives BGR from -1 to 1.

    Args:
        aligned: ``(H, W, 3)`` uint8 RGB, or an RGB image of PIL.

    Raises:
        DataError: another kind of image.
    """
    image = np.asarray(aligned)
    if image.dtype != np.uint8 or image.shape != (*image.shape[:2], CHANNELS):
        raise DataError(f"the aligned face is {image.dtype} {image.shape}; it must be uint8 (H, W, 3) RGB")
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)
