"""An MXNet inference graph as an ONNX model that other people's programs can use as it is."""

from __future__ import annotations

import onnx

import fairface
from fairface.errors import CheckpointError
from fairface.graph.editable import EditableGraph, Op
from fairface.graph.fold import fold
from fairface.graph.saved import Graph, with_prelu
from fairface.interop.onnx.gates import with_plain_gates
from fairface.interop.onnx.graph_writer import GraphWriter, Value
from fairface.interop.onnx.metadata import INPUT, OUTPUT
from fairface.interop.onnx.operators import OPERATORS

BATCH = "batch"
OPSET, IR_VERSION = 16, 8  # GridSample came with 16
_LOOKED_AT = 8  # nodes in which insightface looks for a normalisation


def convert(graph: Graph, image_size: int, dimensions: int) -> onnx.ModelProto:
    """The net as ONNX: ``data (batch, 3, H, W)`` float32 RGB 0..255 to ``embedding (batch, D)``, not normalised.

    The batch may have any size. BatchNorms are folded away, a PReLU is one node, and parameters are initialisers, not
    inputs. insightface takes a network to normalise pixels itself where the names of two of the first eight nodes begin
    with Sub and Mul, and else normalises them once more; a graph that begins otherwise gets ``x - 0`` and ``x * 1``.

    Args:
        graph: the net as it was trained, with the input ``data`` and one output.
        image_size: H = W in pixels.
        dimensions: D.

    Raises:
        CheckpointError: an operator, or a form of it, that is not written.
    """
    net = EditableGraph(fold(with_prelu(graph, "native")))
    with_plain_gates(net)
    writer = GraphWriter()
    written: dict[Op, list[Value]] = {}
    ops = net.ops()
    _name_by_layer(ops, set(graph.arrays))
    source = Value(INPUT, 4)
    if not _shows_normalisation(ops):
        source = writer.one("Sub", "pixels", source, writer.constant("pixels_mean", 0.0), rank=4)
        source = writer.one("Mul", "pixels", source, writer.constant("pixels_factor", 1.0), rank=4)
    for op in ops:
        if op.kind != "null":
            written[op] = _written(writer, op, written)
        elif op.name not in net.values:
            written[op] = [source]
        else:
            name = op.name if op.name in graph.arrays else f"{net.users(op)[0][0].name}.bias"
            written[op] = [writer.constant(name, net.values[op.name])]
    (head,) = net.heads
    last = written[head[0]][head[1]]
    return _model(writer, last, image_size, dimensions)


def _written(writer: GraphWriter, op: Op, written: dict[Op, list[Value]]) -> list[Value]:
    if op.kind not in OPERATORS:
        raise CheckpointError(f"{op.name}: MXNet's operator {op.kind} is not written to ONNX; score the MXNet model")
    return OPERATORS[op.kind](writer, op, [written[entry][output] for entry, output in op.inputs])


def _name_by_layer(ops: list[Op], parameters: set[str]) -> None:
    """Call operators after the layer whose parameters they take, else by number: Gluon's own names count whatever the
    process has built, so one model would not always give one file. Biases that folding made are called so."""
    for number, op in enumerate(ops):
        if op.kind == "null":
            continue
        own = [source.name for source, _ in op.inputs if source.name in parameters]
        op.name = own[0].rpartition(".")[0] or own[0] if own else str(number)


def _shows_normalisation(ops: list[Op]) -> bool:
    """Whether the names of the first nodes will tell insightface that the net takes pixels from 0 to 255."""
    first = [op.kind for op in ops if op.kind != "null"][:_LOOKED_AT]
    return any(kind.endswith("minus_scalar") for kind in first) and "_mul_scalar" in first


def _model(writer: GraphWriter, last: Value, image_size: int, dimensions: int) -> onnx.ModelProto:
    for node in writer.nodes:  # the last value is called after what it is
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == last.name:
                    names[place] = OUTPUT
    floats = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        writer.nodes,
        "fairface",
        [onnx.helper.make_tensor_value_info(INPUT, floats, [BATCH, 3, image_size, image_size])],
        [onnx.helper.make_tensor_value_info(OUTPUT, floats, [BATCH, dimensions])],
        writer.initializers,
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], producer_name="fairface",
        producer_version=fairface.__version__,
    )  # fmt: skip
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model
