"""A recognition network in an ONNX file, run by ONNX Runtime. MXNet is not needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import CheckpointError
from fairface.faces.layouts import ARCFACE, said_layout
from fairface.hardware import physical_cores
from fairface.interop.onnx.external_data import refuse_external_data
from fairface.interop.onnx.metadata import Metadata, read_metadata
from fairface.quantity import quantity
from fairface.threads import work_ahead

Floats = NDArray[np.float32]
DEFAULT_IMAGE_SIZE = 112  # where neither the graph nor its metadata fixes one
PART = 2  # images in a run: what small nets compute of them still fits into a core's own cache
_DISABLED = ("QDQPropagationTransformer",)  # see open_session
_FIXED = 8  # a batch that the file fixes above this is too coarse to be shared out over the cores


@dataclass(frozen=True)
class OnnxNet:
    """A network with one input ``(B, 3, H, H)`` float32 and one output ``(B, D)``.

    Attributes:
        session: ONNX Runtime's.
        image_size: H.
        dimensions: D.
        batch: B where the file fixes it, else None.
        metadata: what an export of this library says of itself, else None.
        threads: how many parts of a call run at once.
        layout: of the faces that it takes (:mod:`fairface.faces.layouts`).
    """

    session: Any
    image_size: int
    dimensions: int
    batch: int | None
    metadata: Metadata | None
    threads: int = 1
    layout: str = ARCFACE

    def __call__(self, x: Floats) -> Floats:
        """Embeddings ``(B, D)`` of any number of images, in parts that run side by side."""
        parts = self.parts(len(x))
        if len(parts) == 1:  # no thread is worth its start
            return self.run(x)
        result = np.empty((len(x), self.dimensions), np.float32)

        def fill(part: slice) -> None:
            result[part] = self.run(x[part])

        return next(work_ahead([(result, [partial(fill, part) for part in parts])], self.threads, 0))

    def parts(self, images: int, views: int = 1) -> list[slice]:
        """Which of ``images`` one run takes; each of them is run in ``views``.

        A run has the batch that the file fixes, else :data:`PART` images, or fewer where some thread would get none.
        """
        size = self.batch or max(1, min(PART, -(-images * views // self.threads)))
        return [slice(start, min(start + size, images)) for start in range(0, images, size)]

    def run(self, x: Floats) -> Floats:
        """Embeddings ``(B, D)`` of one part, by the caller's thread; a fixed batch is filled up with zeros."""
        count = len(x)
        if self.batch is not None:
            x = np.concatenate([x, np.zeros((self.batch - count, *x.shape[1:]), np.float32)])
        (source,) = self.session.get_inputs()
        (result,) = self.session.run(None, {source.name: np.ascontiguousarray(x)})
        return np.asarray(result, np.float32)[:count]


def open_net(content: bytes, name: str, threads: int = 0) -> OnnxNet:
    """The network in an ONNX file's ``content``; ``name`` is for messages.

    A run keeps to one core, and several run at once: cores that share every operator of one run wait for each other,
    and what a large batch gives leaves their caches before the next operator reads it.

    Args:
        content: of the file; weights in files beside it are not read.
        name: the file's.
        threads: parts that run at once; 0: ``OMP_NUM_THREADS`` or else the physical cores.

    Raises:
        CheckpointError: no readable network, or not one from a square RGB image to one embedding; told in one line.
    """
    session = open_session(content, name, 1)
    size, batch = _image_size(session, name)
    threads = threads or default_threads()
    if batch is not None and batch > _FIXED:
        session, threads = open_session(content, name, threads), 1
    outputs = [output.name for output in session.get_outputs()]
    if len(outputs) != 1:
        raise CheckpointError(
            f"{name}: has {len(outputs)} outputs ({', '.join(outputs)}), an embedding network has one; "
            "export the embedding alone"
        )
    properties = session.get_modelmeta().custom_metadata_map
    metadata = read_metadata(properties)
    fixed = size or (metadata.image_size if metadata else DEFAULT_IMAGE_SIZE)
    net = OnnxNet(session, fixed, 0, batch, metadata, threads, said_layout(properties, name))
    shape = _probe(net, name).shape
    if len(shape) != 2 or shape[0] != (batch or 1):
        raise CheckpointError(
            f"{name}: gives {shape} for {quantity(batch or 1, 'image')}, not one embedding (1, D) each"
        )
    return replace(net, dimensions=int(shape[1]))


def default_threads() -> int:
    """``OMP_NUM_THREADS``, or else the physical cores."""
    return int(os.environ.get("OMP_NUM_THREADS") or physical_cores())


def open_session(content: bytes, name: str, threads: int = 0) -> Any:
    """ONNX Runtime's session on the CPU, silent but for errors.

    ``threads`` share the work of each operator; 0: :func:`default_threads`. One of ONNX Runtime's optimisations is left
    out: it moves the step to 8 bits from behind a MaxPool to before it, and MaxPool takes many times as long in 8 bits
    as in float32 (``benchmarks/RESULTS.md``). Networks in float32 are not changed by it.

    Raises:
        CheckpointError: ONNX Runtime cannot read the network, or it has weights in other files.
    """
    refuse_external_data(content, name)
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or default_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; they are exceptions, too
    options.add_session_config_entry("session.load_model_format", "ONNX")  # its own format is not checked as this is
    refused = (
        errors.InvalidProtobuf, errors.InvalidGraph, errors.InvalidArgument, errors.Fail, errors.NotImplemented,
        errors.RuntimeException,
    )  # fmt: skip
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(_DISABLED)
        )
    except refused as error:
        raise CheckpointError(
            f"{name}: ONNX Runtime cannot read this network ({_line(error)}); copy or export it again"
        ) from error


def _image_size(session: Any, name: str) -> tuple[int | None, int | None]:
    """Height (= width) and batch that the only input fixes."""
    inputs = session.get_inputs()
    shapes = [f"{source.name} {source.type} {source.shape}" for source in inputs]
    wanted = "an embedding network takes one float RGB image (B, 3, H, W)"
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        raise CheckpointError(f"{name}: takes {'; '.join(shapes)}; {wanted}")
    batch, channels, height, width = (side if isinstance(side, int) else None for side in inputs[0].shape)
    if channels not in (3, None):
        raise CheckpointError(f"{name}: takes {shapes[0]}; {wanted}")
    if height != width:
        raise CheckpointError(f"{name}: takes images of {width}x{height} pixels; only square ones are embedded")
    return height, batch


def _probe(net: OnnxNet, name: str) -> Floats:
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    size, images = net.image_size, net.batch or 1
    try:
        return net.run(np.zeros((images, 3, size, size), np.float32))
    except (errors.InvalidArgument, errors.Fail, errors.RuntimeException, errors.NotImplemented) as error:
        raise CheckpointError(f"{name}: does not take {size}x{size} RGB images ({_line(error)})") from error


def _line(error: Exception) -> str:
    """An error's text on one line, without ONNX Runtime's prefix, cut to a readable length."""
    text = " ".join(str(error).split()).rpartition("] : ")[2]
    return text if len(text) <= 160 else f"{text[:160]}…"


def planes(images: NDArray[np.uint8]) -> Floats:
    """``(B, H, W, 3)`` RGB as a network takes it: ``(B, 3, H, W)`` float32, 0..255."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)


def unit(rows: Floats | Sequence[Any]) -> NDArray[np.float64]:
    """Embeddings ``(B, D)`` at unit length, in float64."""
    values = np.asarray(rows, np.float64)
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))
