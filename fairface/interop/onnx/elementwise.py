"""MXNet's arithmetic on values as ONNX nodes: with a number, with another array, of one array."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.graph.editable import Op
from fairface.interop.onnx.attributes import number, refuse
from fairface.interop.onnx.graph_writer import GraphWriter, Value

# The operator, and whether the number stands before the array.
_WITH_NUMBER = {
    "_plus_scalar": ("Add", False), "_minus_scalar": ("Sub", False), "_mul_scalar": ("Mul", False),
    "_div_scalar": ("Div", False), "_power_scalar": ("Pow", False), "_rminus_scalar": ("Sub", True),
    "_rdiv_scalar": ("Div", True), "_maximum_scalar": ("Max", False), "_minimum_scalar": ("Min", False),
}  # fmt: skip
_TWO = {
    "elemwise_add": "Add", "elemwise_sub": "Sub", "elemwise_mul": "Mul", "elemwise_div": "Div",
    "_plus": "Add", "_Plus": "Add", "_minus": "Sub", "_mul": "Mul", "_div": "Div",
    "broadcast_add": "Add", "broadcast_sub": "Sub", "broadcast_mul": "Mul", "broadcast_div": "Div",
    "broadcast_maximum": "Max", "broadcast_minimum": "Min",
}  # fmt: skip
_ONE = {
    "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "abs": "Abs", "negative": "Neg", "relu": "Relu", "sigmoid": "Sigmoid",
    "tanh": "Tanh", "identity": "Identity", "_copy": "Identity", "BlockGrad": "Identity",
}  # fmt: skip
WITH_NUMBER, TWO, ONE = frozenset(_WITH_NUMBER), frozenset(_TWO), frozenset(_ONE)


def with_number(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """``x + c``, ``x - c``, ``c - x``, ``x * c`` …"""
    (x,) = inputs
    kind, first = _WITH_NUMBER[op.kind]
    constant = writer.constant(f"{op.name}_scalar", number(op, "scalar", 0.0))
    order = (constant, x) if first else (x, constant)
    return [writer.one(kind, op.name, *order, rank=x.rank)]


def two(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Two arrays, the smaller one spread out; both have the same number of axes."""
    rank = max(value.rank for value in inputs)
    return [writer.one(_TWO[op.kind], op.name, *inputs, rank=rank)]


def one(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """A function of each value."""
    (x,) = inputs
    return [writer.one(_ONE[op.kind], op.name, x, rank=x.rank)]


def square(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """``x * x``."""
    (x,) = inputs
    return [writer.one("Mul", op.name, x, x, rank=x.rank)]


def total(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """The sum of several arrays of one shape."""
    return [writer.one("Sum", op.name, *inputs, rank=inputs[0].rank)]


def clip(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Values brought between two bounds."""
    (x,) = inputs
    bounds = [writer.constant(f"{op.name}_{name}", number(op, name, 0.0)) for name in ("a_min", "a_max")]
    return [writer.one("Clip", op.name, x, *bounds, rank=x.rank)]


def zeros_like(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """As many zeros."""
    (x,) = inputs
    shape = writer.one("Shape", op.name, x, rank=1)
    return [writer.one("ConstantOfShape", op.name, shape, rank=x.rank)]


def batch_dot(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Products of matrices ``(N, a, b) (N, b, c)``."""
    if op.flag("transpose_a", False) or op.flag("transpose_b", False):
        raise refuse(op, "of transposed matrices")
    return [writer.one("MatMul", op.name, *inputs, rank=3)]
