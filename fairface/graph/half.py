"""A net in bfloat16 for inference on CPUs: convolutions and what lies between them, everything else in float32.

The embedding layer stays float32, as in training (:mod:`fairface.precision`). Weights of convolutions become bfloat16
once, not at every call.
"""

from __future__ import annotations

from typing import Any

from fairface.graph.editable import EditableGraph, Op, Values, evaluate
from fairface.graph.saved import Graph
from fairface.mx import nd

_HALF = ("Convolution", "elemwise_add", "Activation", "Pooling", "BatchNorm")
_BFLOAT16 = "12"  # MXNet's number of the type


def with_bfloat16(graph: Graph) -> Graph:
    """The same net with casts, from float32 images to float32 embeddings."""
    net = EditableGraph(graph)
    weights: set[str] = set()
    casts: dict[tuple[Op, int, str], Op] = {}

    def cast(entry: tuple[Op, int], dtype: str) -> tuple[Op, int]:
        key = (*entry, dtype)
        if key not in casts:
            casts[key] = Op("amp_cast", f"{entry[0].name}_{entry[1]}_{dtype}", {"dtype": dtype}, [entry])
        return casts[key], 0

    for op in net.ops():
        if op.kind == "null":
            continue
        half = _in_half(op)
        for position, (source, output) in enumerate(op.inputs):
            if source.kind == "null" and source.name in net.values:
                if op.kind == "Convolution":
                    source.attributes["__dtype__"] = _BFLOAT16  # else MXNet complains until it has seen the arrays
                    weights.add(source.name)
            elif half != _in_half(source):
                op.inputs[position] = cast((source, output), "bfloat16" if half else "float32")
    net.heads = [cast(head, "float32") if _in_half(head[0]) else head for head in net.heads]

    def array(name: str, values: Values) -> Any:
        full = nd.array(values)
        return evaluate("amp_cast", {"dtype": "bfloat16"}, [full]) if name in weights else full

    return net.graph(array)


def _in_half(op: Op) -> bool:
    return op.kind in _HALF or (op.kind == "LeakyReLU" and op.attributes.get("act_type", "leaky") == "leaky")
