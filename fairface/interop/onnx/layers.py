"""MXNet's layers as ONNX nodes: convolution, pooling, fully connected, normalisation, activations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairface.graph.editable import Op
from fairface.interop.onnx.attributes import axis_of, integer, number, pairs, refuse
from fairface.interop.onnx.graph_writer import GraphWriter, Value

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softrelu": "Softplus", "softsign": "Softsign"}
_LEAKY, _ELU = 0.25, 0.25  # MXNet's slopes where a node names none
_BATCH_NORM_EPSILON, _L2_EPSILON = 1e-3, 1e-10


def convolution(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Convolution of maps ``(B, C, H, W)``."""
    kernel = op.numbers("kernel")
    if len(kernel) != 2 or op.attributes.get("layout", "NCHW") not in ("NCHW", "None"):
        raise refuse(op, f"with kernel {kernel} and layout {op.attributes.get('layout')}")
    result = writer.one(
        "Conv", op.name, *inputs, rank=4, kernel_shape=kernel, strides=pairs(op, "stride", 1),
        dilations=pairs(op, "dilate", 1), pads=pairs(op, "pad", 0) * 2, group=integer(op, "num_group", 1),
    )  # fmt: skip
    return [result]


def fully_connected(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """``x W^T + b``, flattened first as MXNet does."""
    x, *parameters = inputs
    if x.rank != 2:
        if not op.flag("flatten", True):
            raise refuse(op, "along the last of several axes")
        x = writer.one("Flatten", op.name, x, rank=2, axis=1)
    return [writer.one("Gemm", op.name, x, *parameters, rank=2, transB=1)]


def batch_norm(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """BatchNorm with running statistics."""
    x, gamma, beta, mean, variance = inputs
    if axis_of(op, x.rank, 1) != 1:
        raise refuse(op, f"along axis {op.attributes['axis']}")
    if beta.array is None:
        raise refuse(op, "with computed shifts")
    if op.flag("fix_gamma", True):
        gamma = writer.constant(f"{op.name}_ones", np.ones(beta.array.shape))
    epsilon = number(op, "eps", _BATCH_NORM_EPSILON)
    return [writer.one("BatchNormalization", op.name, x, gamma, beta, mean, variance, rank=x.rank, epsilon=epsilon)]


def pooling(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Maximum and average over windows or whole maps."""
    (x,) = inputs
    kind, convention = op.attributes.get("pool_type", "max"), op.attributes.get("pooling_convention", "valid")
    if kind not in ("max", "avg") or convention not in ("valid", "full") or x.rank != 4:
        raise refuse(op, f"of type {kind}, convention {convention}")
    name = "MaxPool" if kind == "max" else "AveragePool"
    if op.flag("global_pool", False):
        return [writer.one(f"Global{name}", op.name, x, rank=4)]
    attributes = {"count_include_pad": int(op.flag("count_include_pad", True))} if kind == "avg" else {}
    result = writer.one(
        name, op.name, x, rank=4, kernel_shape=op.numbers("kernel"), strides=pairs(op, "stride", 1),
        pads=pairs(op, "pad", 0) * 2, ceil_mode=int(convention == "full"), **attributes,
    )  # fmt: skip
    return [result]


def activation(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """relu, sigmoid, tanh, softrelu, softsign."""
    (x,) = inputs
    kind = op.attributes.get("act_type", "")
    if kind not in _ACTIVATIONS:
        raise refuse(op, kind)
    return [writer.one(_ACTIVATIONS[kind], op.name, x, rank=x.rank)]


def leaky_relu(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """PReLU as one node, its slopes ``(C, 1, 1)`` for maps; leaky relu; ELU."""
    x, *slopes = inputs
    kind, slope = op.attributes.get("act_type", "leaky"), number(op, "slope", _LEAKY)
    if kind == "prelu":
        array = slopes[0].array
        if array is None:
            raise refuse(op, "with computed slopes")
        shaped = writer.constant(slopes[0].name, array.reshape(-1, *[1] * (x.rank - 2)))
        return [writer.one("PRelu", op.name, x, shaped, rank=x.rank)]
    if kind not in ("leaky", "elu"):
        raise refuse(op, kind)
    name = "LeakyRelu" if kind == "leaky" else "Elu"
    return [writer.one(name, op.name, x, rank=x.rank, alpha=slope)]


def softmax(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Softmax along an axis."""
    (x,) = inputs
    if op.attributes.get("temperature", "None") not in ("None", "1", "1.0"):
        raise refuse(op, "with a temperature")
    return [writer.one("Softmax", op.name, x, rank=x.rank, axis=axis_of(op, x.rank, -1))]


def l2_normalization(writer: GraphWriter, op: Op, inputs: Sequence[Value]) -> list[Value]:
    """Each image's values at unit length: ``x / sqrt(sum(x^2) + eps)``."""
    (x,) = inputs
    if op.attributes.get("mode", "instance") != "instance":
        raise refuse(op, f"in mode {op.attributes['mode']}")
    axes = writer.integers(f"{op.name}_axes", range(1, x.rank))
    squares = writer.one("Mul", f"{op.name}_square", x, x, rank=x.rank)
    total = writer.one("ReduceSum", op.name, squares, axes, rank=x.rank, keepdims=1)
    epsilon = writer.constant(f"{op.name}_eps", number(op, "eps", _L2_EPSILON))
    length = writer.one("Sqrt", op.name, writer.one("Add", op.name, total, epsilon, rank=x.rank), rank=x.rank)
    return [writer.one("Div", op.name, x, length, rank=x.rank)]
