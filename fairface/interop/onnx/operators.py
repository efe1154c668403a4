"""Which function writes which operator of MXNet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fairface.graph.editable import Op
from fairface.interop.onnx import elementwise, layers, sampling, shapes
from fairface.interop.onnx.graph_writer import GraphWriter, Value

Writer = Callable[[GraphWriter, Op, Sequence[Value]], list[Value]]

OPERATORS: Mapping[str, Writer] = {
    "Convolution": layers.convolution,
    "FullyConnected": layers.fully_connected,
    "BatchNorm": layers.batch_norm,
    "Pooling": layers.pooling,
    "Activation": layers.activation,
    "LeakyReLU": layers.leaky_relu,
    "softmax": layers.softmax,
    "L2Normalization": layers.l2_normalization,
    **dict.fromkeys(elementwise.WITH_NUMBER, elementwise.with_number),
    **dict.fromkeys(elementwise.TWO, elementwise.two),
    **dict.fromkeys(elementwise.ONE, elementwise.one),
    "square": elementwise.square,
    "add_n": elementwise.total,
    "clip": elementwise.clip,
    "zeros_like": elementwise.zeros_like,
    "batch_dot": elementwise.batch_dot,
    "Reshape": shapes.reshape,
    "reshape": shapes.reshape,
    "Flatten": shapes.flatten,
    "flatten": shapes.flatten,
    "transpose": shapes.transpose,
    "SwapAxis": shapes.swap_axes,
    "Concat": shapes.concat,
    "concat": shapes.concat,
    "SliceChannel": shapes.split,
    "split": shapes.split,
    "slice_axis": shapes.slice_axis,
    "slice": shapes.slice_axes,
    "expand_dims": shapes.expand_dims,
    "Pad": shapes.pad,
    "pad": shapes.pad,
    **dict.fromkeys(shapes.REDUCTIONS, shapes.reduce),
    "GridGenerator": sampling.grid_generator,
    "BilinearSampler": sampling.bilinear_sampler,
}
