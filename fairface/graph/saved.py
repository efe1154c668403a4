"""Changing a net's graph: which operators PReLU is made of, and what its layers are called.

MXNet writes a graph as JSON: a list of nodes in the order in which they run, each with an operator (``null`` for data
and parameters), a name, attributes, and inputs ``[node, output, version]``. What is done here is done on that list.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairface.backbones.prelu import PReLU
from fairface.errors import CheckpointError
from fairface.mx import NDArray, mx

Node = dict[str, Any]
Entry = tuple[int, int]  # node, output

_OTHER_FORM = {"onednn": "native", "native": "onednn"}
_SIZES = ("num_filter", "num_group")  # attributes that depend on the number of channels
_KIND = re.compile(r"[._](weight|bias|gamma|beta)$")


@dataclass(frozen=True)
class Graph:
    """A net: its symbol with the input ``data``, and its arrays by the names that the symbol gives them."""

    symbol: Any
    arrays: Mapping[str, NDArray]


def with_prelu(graph: Graph, form: str) -> Graph:
    """The same net with every PReLU in the form ``onednn`` or ``native`` (:mod:`fairface.backbones.prelu`)."""
    old, heads = nodes_of(graph.symbol)
    pattern = _prelu(_OTHER_FORM[form], 1)
    nodes: list[Node] = []
    moved: list[int] = []  # index of an old node -> of the new one
    for index, node in enumerate(old):
        bound: dict[str, Entry] = {}
        if _matches(old, (index, 0), pattern, (len(pattern) - 1, 0), bound):
            slopes = old[bound["gamma"][0]]["name"]
            inputs = {name: [moved[entry[0]], entry[1], 0] for name, entry in bound.items()}
            nodes += _inserted(_prelu(form, graph.arrays[slopes].size), inputs, _layer(slopes), len(nodes))
        else:
            nodes.append({**node, "inputs": [[moved[i], *rest] for i, *rest in node["inputs"]]})
        moved.append(len(nodes) - 1)
    return Graph(symbol_of(nodes, [[moved[i], *rest] for i, *rest in heads]), graph.arrays)


def with_names(graph: Graph, parameter: Callable[[str], str], outputs: Sequence[str]) -> Graph:
    """The same net with other names, and without the notes on start values that Gluon leaves at its parameters.

    An operator with parameters is called as its layer is.

    Args:
        graph: the net.
        parameter: turns a parameter's name into the new one.
        outputs: what the last operator may be called: the first that no layer bears. MXNet adds ``_output``.

    Raises:
        CheckpointError: two parameters would bear one name.
    """
    nodes, heads = nodes_of(graph.symbol)
    names = {name: parameter(name) for name in graph.arrays}
    for name, count in Counter(names.values()).items():
        if count > 1:
            raise CheckpointError(f"two of the net's parameters would have the name {name}; rename a layer of the net")
    layers = [_layer_of(node, nodes, names) for node in nodes]
    last = heads[0][0]
    if layers[last] not in outputs:
        layers[last] = next(name for name in outputs if name not in layers)
    taken = {layer for layer in layers if layer}
    for node, layer in zip(nodes, layers, strict=True):
        if node["op"] == "null":
            node["attrs"] = _known(graph.arrays.get(node["name"]))
            node["name"] = names.get(node["name"], node["name"])
        elif layer in taken:
            node["name"] = layer
            taken.remove(layer)
        else:
            node["name"] = f"_{node['name']}" if layer is None else f"{layer}_{node['op'].lower()}"
    return Graph(symbol_of(nodes, heads), {names[name]: array for name, array in graph.arrays.items()})


def _known(array: NDArray | None) -> dict[str, str]:
    """What MXNet cannot work out of a weight that is reshaped in the graph."""
    return {} if array is None else {"__shape__": str(array.shape), "__dtype__": "0", "__storage_type__": "0"}


def _layer_of(node: Node, nodes: Sequence[Node], names: Mapping[str, str]) -> str | None:
    """New name of the layer whose parameters the operator takes."""
    for index, *_ in node["inputs"]:
        if nodes[index]["name"] in names:
            return _layer(names[nodes[index]["name"]])
    return None


def _layer(parameter: str) -> str:
    return _KIND.sub("", parameter)


def nodes_of(symbol: Any, casts: bool = False) -> tuple[list[Node], list[list[int]]]:
    """The nodes of a symbol in the order in which they run, and the entries that are its outputs.

    Without ``casts`` those to and from half precision are left out.
    """
    graph = json.loads(symbol.tojson(remove_amp_cast=not casts))
    return graph["nodes"], graph["heads"]


def symbol_of(nodes: Sequence[Node], heads: Sequence[Sequence[int]]) -> Any:
    """The symbol of those nodes that the heads need."""
    needed: set[int] = set()
    waiting = [head[0] for head in heads]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += [entry[0] for entry in nodes[index]["inputs"]]
    kept = sorted(needed)
    new = {index: position for position, index in enumerate(kept)}
    graph = {
        "nodes": [{**nodes[i], "inputs": [[new[j], *rest] for j, *rest in nodes[i]["inputs"]]} for i in kept],
        "arg_nodes": [new[index] for index in kept if nodes[index]["op"] == "null"],
        "heads": [[new[index], *rest] for index, *rest in heads],
        "attrs": {"mxnet_version": ["int", 10901]},
    }
    return mx.sym.load_json(json.dumps(graph))


def _prelu(form: str, channels: int) -> list[Node]:
    """The nodes that PReLU is made of, with the inputs ``data`` and ``gamma``; the last one gives its output."""
    with mx.name.NameManager():
        symbol = PReLU(channels, form).hybrid_forward(mx.sym, mx.sym.var("data"), mx.sym.var("gamma"))
    return nodes_of(symbol)[0]


def _matches(
    nodes: Sequence[Node], entry: Entry, pattern: Sequence[Node], wanted: Entry, bound: dict[str, Entry]
) -> bool:
    """Whether what leads to ``entry`` has the pattern's form; ``bound`` then says what stands for its inputs."""
    node, model = nodes[entry[0]], pattern[wanted[0]]
    if model["op"] == "null":
        fits = model["name"] != "gamma" or node["op"] == "null"
        return fits and bound.setdefault(model["name"], entry) == entry
    if node["op"] != model["op"] or entry[1] != wanted[1] or len(node["inputs"]) != len(model["inputs"]):
        return False
    attributes = node.get("attrs", {})
    if any(attributes.get(key) != value for key, value in model.get("attrs", {}).items() if key not in _SIZES):
        return False
    return all(
        _matches(nodes, (i, output), pattern, (j, wanted_output), bound)
        for (i, output, *_), (j, wanted_output, *_) in zip(node["inputs"], model["inputs"], strict=True)
    )


def _inserted(fragment: Sequence[Node], inputs: Mapping[str, list[int]], layer: str, start: int) -> list[Node]:
    """The fragment's operators as nodes to stand at ``start``, connected to ``inputs``, the last called ``layer``."""
    places: list[int] = []
    result: list[Node] = []
    for node in fragment:
        if node["op"] == "null":
            places.append(-1)
            continue
        connected = [
            inputs[fragment[i]["name"]] if fragment[i]["op"] == "null" else [places[i], *rest]
            for i, *rest in node["inputs"]
        ]
        name = layer if node is fragment[-1] else f"{layer}_{node['name']}"
        places.append(start + len(result))
        result.append({**node, "name": name, "inputs": connected})
    return result
