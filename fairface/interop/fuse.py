"""Neighbouring operators as one, by MXNet's own oneDNN pass, for inference on CPUs."""

from __future__ import annotations

import os

from fairface.interop.editable import EditableGraph
from fairface.interop.graph import Graph

_NO_ACTIVATIONS = "MXNET_DISABLE_MKLDNN_FUSE_CONV_RELU"
_ACTIVATIONS = ("Activation", "LeakyReLU")


def fused(graph: Graph) -> Graph:
    """The same net with each convolution, the sum behind it and its activation as one operator.

    MXNet 1.9.1 also joins a convolution with its activation where somebody else takes the convolution's output (as PReLU
    in its oneDNN form does), and then hands on wrong values: such nets keep activations apart.
    """
    before = os.environ.get(_NO_ACTIVATIONS)
    if _shared(EditableGraph(graph)):
        os.environ[_NO_ACTIVATIONS] = "1"
    try:
        symbol = graph.symbol.get_backend_symbol("MKLDNN")
    finally:
        if before is None:
            os.environ.pop(_NO_ACTIVATIONS, None)
        else:
            os.environ[_NO_ACTIVATIONS] = before
    return Graph(symbol, graph.arrays)


def _shared(net: EditableGraph) -> bool:
    """Whether an activation takes the output of an operator that others take too."""
    return any(op.kind in _ACTIVATIONS and not net.sole_user(op.inputs[0][0]) for op in net.ops())
