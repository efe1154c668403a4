"""A checkpoint as an ONNX model, written only where ONNX Runtime gives MXNet's embeddings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

import fairface
from fairface.checkpoints import CheckpointFiles
from fairface.interop.models import load_files, load_graph
from fairface.interop.onnx.convert import convert
from fairface.interop.onnx.metadata import Metadata
from fairface.interop.onnx.parity import parity
from fairface.interop.onnx.quantise import quantised
from fairface.interop.onnx.self_check import generated_images
from fairface.interop.onnx.session import OnnxNet, open_net
from fairface.mx import mx

_IMAGES = 3


@dataclass(frozen=True)
class Export:
    """An ONNX model that gives a checkpoint's embeddings.

    Attributes:
        content: of the file.
        net: the same, as ONNX Runtime runs it.
        metadata: what it says of itself.
        difference: largest difference from MXNet's unit embeddings.
    """

    content: bytes
    net: OnnxNet
    metadata: Metadata
    difference: float


def export_onnx(files: CheckpointFiles, thresholds: str = "[]") -> Export:
    """Convert a checkpoint and compare its embeddings with MXNet's.

    Args:
        files: the checkpoint.
        thresholds: JSON, operating points for the metadata.

    Raises:
        CheckpointError: damaged files, an operator that is not written, or embeddings that differ by 1e-5 or more.
        MissingPackageError: ``onnx`` or ``onnxruntime`` is not installed.
    """
    graph = load_graph(files)
    loaded = load_files(files, graph, [mx.cpu()])
    size = loaded.image_size
    metadata = Metadata(
        model=_short_name(files), step=files.step, image_size=size, dimensions=loaded.embedding,
        version=fairface.__version__, thresholds=thresholds, layout=loaded.layout,
    )  # fmt: skip
    content = with_metadata(convert(graph, size, loaded.embedding), metadata)
    net = open_net(content, files.name)
    difference = parity(loaded.net, net, generated_images(_IMAGES, size), files.name)
    return Export(content, net, metadata, difference)


def int8_export(export: Export, images: NDArray[np.uint8]) -> Export:
    """The same model in int8, calibrated on ``images`` (:func:`fairface.interop.onnx.quantise.quantised`).

    ``difference`` stays that of fp32; thresholds do not go over, as int8 moves scores.
    """
    metadata = replace(export.metadata, precision="int8", thresholds="[]")
    content = with_metadata(onnx.load_from_string(quantised(export.content, images)), metadata)
    return Export(content, open_net(content, metadata.model), metadata, export.difference)


def with_metadata(model: onnx.ModelProto, metadata: Metadata) -> bytes:
    """The model's file, saying that of itself and nothing else."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata.properties())
    return bytes(model.SerializeToString(deterministic=True))


def _short_name(files: CheckpointFiles) -> str:
    """The run's folder or the file's stem: whole paths are nobody else's business."""
    return Path(files.params).parent.name if files.manifest else Path(files.name.partition(",")[0]).stem
