"""An ONNX network in 8-bit integers, for CPUs, by ONNX Runtime's static quantisation.

Weights are int8 with a scale for each output channel, activations uint8 with a scale for each tensor, found on
calibration images after :mod:`~fairface.interop.onnx.equalise` has brought channels to like ranges. What comes before
the first convolution, that convolution, and the layers that give the embedding stay float32: they lose most and take
little time. So do PReLUs: ONNX Runtime has none in integers, and slopes in int8 would be rounded, and turned back into
float32 in every run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from fairface.errors import CheckpointError
from fairface.interop.onnx.equalise import equalised
from fairface.interop.onnx.metadata import INPUT
from fairface.interop.onnx.session import planes
from fairface.quantity import quantity

Floats = NDArray[np.float32]
BATCH = 16
LEAST_IMAGES = 32  # with fewer, ranges are chance
_PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}  # shapes and BatchNorms are dealt with: no warning
_KINDS = ("Conv", "Add", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Slice", "Split")


def quantised(content: bytes, images: NDArray[np.uint8]) -> bytes:
    """The network of an export's ``content`` in int8; it takes and gives what it did.

    Args:
        content: of an ONNX file that this library wrote.
        images: uint8 ``(N, H, W, 3)`` RGB, aligned faces like those that it will see.

    Raises:
        CheckpointError: too few images, or no convolution behind the first.
        MissingPackageError: ``onnx`` or ``onnxruntime`` is not installed.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    if len(images) < LEAST_IMAGES:
        raise CheckpointError(f"{quantity(len(images), 'image')} to calibrate on; int8 needs {LEAST_IMAGES} or more")
    batches = _batches(images)
    model = equalised(onnx.load_from_string(content), batches)
    onnx.helper.set_model_props(model, _PREPARED)
    kept = kept_in_float(model.graph)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, source)
        quantize_static(
            source, target, _Reader(batches), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=list(_KINDS),
            nodes_to_exclude=kept,
        )  # fmt: skip
        return target.read_bytes()


def kept_in_float(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes up to the first convolution and of the layers that give the embedding."""
    kinds = [node.op_type for node in graph.node]
    if kinds.count("Conv") < 2:
        raise CheckpointError("the network has no convolution behind its first: int8 would change nothing")
    first = kinds.index("Conv")
    return [node.name for place, node in enumerate(graph.node) if place <= first or node.op_type == "Gemm"]


def _batches(images: NDArray[np.uint8]) -> list[Floats]:
    x = planes(images)
    return [x[start : start + BATCH] for start in range(0, len(x), BATCH)]


class _Reader:
    """Batches one after the other, as ONNX Runtime's calibration asks for them."""

    def __init__(self, batches: Iterable[Floats]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Floats] | None:
        """The next batch, or None."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}
