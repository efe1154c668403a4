"""MXNet's operators that cut, join, turn and reduce arrays as ONNX nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairface.graph.editable import Op
from fairface.interop.onnx.attributes import axis_of, entries, integer, number, refuse
from fairface.interop.onnx.graph_writer import GraphWriter, Value

_END = int(np.iinfo(np.int64).max)
_REDUCTIONS = {"mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin"}
REDUCTIONS = frozenset({*_REDUCTIONS, "sum"})


def reshape(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Another shape; 0 keeps an axis, -1 takes what is left."""
    (x,) = inputs
    shape = op.numbers("shape")
    if not shape or min(shape) < -1 or op.flag("reverse", False):
        raise refuse(op, f"to {op.attributes.get('shape')}")
    return [writer.one("Reshape", op.name, x, writer.integers(f"{op.name}_shape", shape), rank=len(shape))]


def flatten(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """``(B, …)`` to ``(B, n)``."""
    return [writer.one("Flatten", op.name, inputs[0], rank=2, axis=1)]


def transpose(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Axes in another order; reversed where none is named."""
    (x,) = inputs
    axes = op.numbers("axes") or list(reversed(range(x.rank)))
    return [writer.one("Transpose", op.name, x, rank=x.rank, perm=axes)]


def swap_axes(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Two axes exchanged."""
    (x,) = inputs
    axes = list(range(x.rank))
    first, second = integer(op, "dim1", 0), integer(op, "dim2", 0)
    axes[first], axes[second] = axes[second], axes[first]
    return [writer.one("Transpose", op.name, x, rank=x.rank, perm=axes)]


def concat(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Several arrays one after the other along an axis."""
    return [writer.one("Concat", op.name, *inputs, rank=inputs[0].rank, axis=integer(op, "dim", 1))]


def split(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Equal parts along an axis."""
    (x,) = inputs
    if op.flag("squeeze_axis", False):
        raise refuse(op, "without the axis that is cut")
    ranks = (x.rank,) * integer(op, "num_outputs", 1)
    return writer.several("Split", op.name, x, ranks=ranks, axis=axis_of(op, x.rank, 1))


def slice_axis(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """A range along one axis."""
    (x,) = inputs
    (end,) = entries(op, "end")
    return [_sliced(writer, op, x, [integer(op, "begin", 0)], [end], [axis_of(op, x.rank, 0)], [1])]


def slice_axes(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """A range along each of the first axes."""
    (x,) = inputs
    begin, end = entries(op, "begin"), entries(op, "end")
    steps = [step or 1 for step in entries(op, "step")] or [1] * len(begin)
    if min(steps) < 1:
        raise refuse(op, "backwards")
    return [_sliced(writer, op, x, [first or 0 for first in begin], end, list(range(len(begin))), steps)]


def _sliced(
    writer: GraphWriter, op: Op, x: Value, begin: list[int], end: list[int | None], axes: list[int], steps: list[int]
) -> Value:
    ends = [_END if last is None else last for last in end]
    parts = {"begin": begin, "end": ends, "axes": axes, "steps": steps}
    bounds = [writer.integers(f"{op.name}_{name}", values) for name, values in parts.items()]
    return writer.one("Slice", op.name, x, *bounds, rank=x.rank)


def expand_dims(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """A further axis of one."""
    (x,) = inputs
    axis = writer.integers(f"{op.name}_axis", [axis_of(op, x.rank + 1, 0)])
    return [writer.one("Unsqueeze", op.name, x, axis, rank=x.rank + 1)]


def pad(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """A constant border."""
    (x,) = inputs
    if op.attributes.get("mode", "constant") != "constant":
        raise refuse(op, f"in mode {op.attributes['mode']}")
    widths = op.numbers("pad_width")  # before and after, axis by axis
    sizes = writer.integers(f"{op.name}_pads", [*widths[0::2], *widths[1::2]])
    value = writer.constant(f"{op.name}_value", number(op, "constant_value", 0.0))
    return [writer.one("Pad", op.name, x, sizes, value, rank=x.rank)]


def reduce(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Mean, sum, largest or smallest along axes."""
    (x,) = inputs
    axes = [axis + x.rank if axis < 0 else axis for axis in op.numbers("axis")]
    keep = op.flag("keepdims", False)
    if not axes or op.flag("exclude", False):
        raise refuse(op, "over all axes")
    rank = x.rank if keep else x.rank - len(axes)
    if op.kind == "sum":  # its axes are an input since opset 13
        numbers = writer.integers(f"{op.name}_axes", axes)
        return [writer.one("ReduceSum", op.name, x, numbers, rank=rank, keepdims=int(keep))]
    return [writer.one(_REDUCTIONS[op.kind], op.name, x, rank=rank, axes=axes, keepdims=int(keep))]
