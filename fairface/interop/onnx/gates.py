"""Channel gates as one product; on CPUs they are a batch of matrix products (:mod:`fairface.backbones.gate`)."""

from __future__ import annotations

from fairface.graph.editable import EditableGraph, Op

_RESHAPES = ("Reshape", "reshape")


def with_plain_gates(net: EditableGraph) -> None:
    """Put ``x * gate`` in place of ``reshape(batch_dot(reshape(gate), reshape(x)))``."""
    for op in net.ops():
        product = op.inputs[0][0] if op.kind in _RESHAPES else None
        if product is None or product.kind != "batch_dot" or not net.sole_user(product):
            continue
        gate, maps = (source for source, _ in product.inputs)
        if _shape(gate) == [-1, 1, 1] and _shape(maps)[:2] == [-1, 1] and _is_square(op, maps):
            op.kind, op.attributes = "broadcast_mul", {}
            op.inputs = [maps.inputs[0], gate.inputs[0]]


def _shape(op: Op) -> list[int]:
    return op.numbers("shape") if op.kind in _RESHAPES else []


def _is_square(back: Op, maps: Op) -> bool:
    """Whether the product goes back to the maps that the rows were made of."""
    shape, values = _shape(back), _shape(maps)[2]
    return len(shape) == 4 and shape[0] == -1 and shape[2] * shape[3] == values
