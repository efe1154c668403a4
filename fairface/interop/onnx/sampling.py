"""MXNet's spatial transformer as ONNX nodes: the sampling grid, and GridSample.

MXNet's grid ``(B, 2, H, W)`` holds x and y from -1 to 1, the centres of the first and the last pixel, which is what
ONNX calls ``align_corners``; beyond the image both read zeros.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairface.graph.editable import Op
from fairface.interop.onnx.attributes import refuse
from fairface.interop.onnx.graph_writer import GraphWriter, Value


def grid_generator(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Affine maps ``(B, 6)`` to grids ``(B, 2, H, W)``."""
    if op.attributes.get("transform_type") != "affine":
        raise refuse(op, f"of type {op.attributes.get('transform_type')}")
    height, width = op.numbers("target_shape")
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    points = writer.constant(f"{op.name}_points", np.stack([x.ravel(), y.ravel(), np.ones(height * width)]))
    matrices = _reshaped(writer, f"{op.name}_matrices", inputs[0], (-1, 2, 3))
    mapped = writer.one("MatMul", op.name, matrices, points, rank=3)
    return [_reshaped(writer, f"{op.name}_grid", mapped, (-1, 2, height, width))]


def bilinear_sampler(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Maps read at the points of a grid."""
    maps, grid = inputs
    last = writer.one("Transpose", op.name, grid, rank=4, perm=[0, 2, 3, 1])
    sampled = writer.one(
        "GridSample", op.name, maps, last, rank=4, mode="bilinear", padding_mode="zeros", align_corners=1
    )
    return [sampled]


def _reshaped(writer: GraphWriter, hint: str, x: Value, shape: tuple[int, ...]) -> Value:
    return writer.one("Reshape", hint, x, writer.integers(f"{hint}_shape", shape), rank=len(shape))
