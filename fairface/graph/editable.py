"""A net's graph in a form that can be changed: operators that point at each other, arrays in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.graph.saved import Graph, nodes_of, symbol_of
from fairface.mx import nd

Values = NDArray[np.float64]


@dataclass(eq=False)
class Op:
    """An operator, or with ``kind`` "null" the input or a parameter; ``inputs``: (operator, number of its output)."""

    kind: str
    name: str
    attributes: dict[str, str]
    inputs: list[tuple[Op, int]]

    def flag(self, name: str, default: bool) -> bool:
        """A Boolean attribute."""
        return self.attributes.get(name, str(default)) in ("True", "1")

    def numbers(self, name: str) -> list[int]:
        """An attribute such as ``(1, 1)`` or ``[1, 1]``; empty where it is not set."""
        text = self.attributes.get(name, "").strip("()[] ")
        return [int(part) for part in text.split(",") if part.strip()]


def evaluate(kind: str, attributes: Mapping[str, str], inputs: Sequence[Any]) -> Any:
    """What the operator makes of these arrays."""
    nodes: list[dict[str, Any]] = [{"op": "null", "name": str(number), "inputs": []} for number in range(len(inputs))]
    entries = [[number, 0, 0] for number in range(len(inputs))]
    nodes.append({"op": kind, "name": "result", "attrs": dict(attributes), "inputs": entries})
    return nd.CachedOp(symbol_of(nodes, [[len(inputs), 0, 0]]))(*inputs)


class EditableGraph:
    """A graph whose operators, connections and values may be changed in place.

    Attributes:
        heads: what the graph gives, as (operator, number of its output).
        values: parameters by name, float64.
    """

    def __init__(self, graph: Graph) -> None:
        nodes, heads = nodes_of(graph.symbol)
        ops: list[Op] = []
        for node in nodes:
            inputs = [(ops[index], output) for index, output, *_ in node["inputs"]]
            ops.append(Op(node["op"], node["name"], dict(node.get("attrs", {})), inputs))
        self.heads = [(ops[index], output) for index, output, *_ in heads]
        self.values: dict[str, Values] = {
            name: array.asnumpy().astype(np.float64) for name, array in graph.arrays.items()
        }

    def ops(self) -> list[Op]:
        """Every operator that the heads need, inputs first."""
        order: dict[Op, None] = {}
        waiting = [op for op, _ in reversed(self.heads)]
        while waiting:
            op = waiting[-1]
            missing = [source for source, _ in reversed(op.inputs) if source not in order]
            if missing:
                waiting += missing
                continue
            order[waiting.pop()] = None
        return list(order)

    def users(self, op: Op, output: int = 0) -> list[tuple[Op, int]]:
        """Who takes that output: (operator, which of its inputs)."""
        return [
            (user, position)
            for user in self.ops()
            for position, entry in enumerate(user.inputs)
            if entry == (op, output)
        ]

    def sole_user(self, op: Op) -> bool:
        """Whether exactly one input in the whole graph takes the operator's output."""
        return len(self.users(op)) + sum(head[0] is op for head in self.heads) == 1

    def constant(self, op: Op) -> bool:
        """Whether it is a parameter that one operator alone takes, so that its values may be changed."""
        return op.kind == "null" and op.name in self.values and self.sole_user(op)

    def replace(self, op: Op, entry: tuple[Op, int]) -> None:
        """Whoever takes the first output of ``op`` takes ``entry`` from now on."""
        for user, position in self.users(op):
            user.inputs[position] = entry
        self.heads = [entry if head == (op, 0) else head for head in self.heads]

    def parameter(self, name: str, values: Values) -> Op:
        """A new parameter; its name gets underscores until it is new."""
        while name in self.values:
            name += "_"
        self.values[name] = values
        return Op("null", name, {}, [])

    def graph(self, array: Callable[[str, Values], Any] = lambda _, values: nd.array(values)) -> Graph:
        """What it has become; ``array`` makes a parameter's array of its name and values (float32 unless given)."""
        ops = self.ops()
        place = {op: index for index, op in enumerate(ops)}
        nodes = [
            {"op": op.kind, "name": op.name, "attrs": op.attributes, "inputs": [[place[i], n, 0] for i, n in op.inputs]}
            for op in ops
        ]
        arrays: Mapping[str, Any] = {
            op.name: array(op.name, self.values[op.name]) for op in ops if op.kind == "null" and op.name in self.values
        }
        return Graph(symbol_of(nodes, [[place[op], output, 0] for op, output in self.heads]), arrays)
