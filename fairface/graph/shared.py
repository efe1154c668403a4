"""Parameters that several layers share, as in a net that runs twice: taken apart to be changed, and joined again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairface.graph.editable import EditableGraph

Copies = Mapping[str, Sequence[str]]  # a parameter's name to those of its copies


def take_apart(net: EditableGraph) -> Copies:
    """Give each input that takes a parameter a parameter of its own, with the same values."""
    copies: dict[str, list[str]] = {}
    for op in net.ops():
        if op.kind != "null" or op.name not in net.values:
            continue
        for user, position in net.users(op)[1:]:
            copy = net.parameter(op.name, net.values[op.name].copy())
            user.inputs[position] = (copy, 0)
            copies.setdefault(op.name, []).append(copy.name)
    return copies


def join(net: EditableGraph, copies: Copies) -> None:
    """Let copies that still have the values of the first be that one again, so that the net takes no more memory."""
    there = {op.name: op for op in net.ops() if op.kind == "null"}
    for name, others in copies.items():
        for other in others:
            if name in there and other in there and np.array_equal(net.values[name], net.values[other]):
                net.replace(there[other], (there[name], 0))
