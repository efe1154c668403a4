"""A symbol as earlier versions of MXNet wrote it."""

from __future__ import annotations

import json
from typing import Any

# The version of MXNet to the number that it wrote; 0.8 wrote none.
VERSIONS = {"0.8": None, "0.9": 905, "0.11": 1100, "1.0": 10000, "1.4": 10400, "1.9": 10901}


def as_written_by(version: str, symbol: Any) -> str:
    """The JSON of ``symbol`` in the form of that version.

    Before 1.0 a node's attributes were called ``attr``. In 0.8 they were called ``param``, entries were pairs, and what
    BatchNorm keeps (moving mean and variance) was no node of the graph.
    """
    graph = json.loads(symbol.tojson())
    number = VERSIONS[version]
    if number is None:
        return json.dumps(_oldest(graph, set(symbol.list_auxiliary_states())))
    key = "attrs" if number >= 10000 else "attr"
    nodes = [{key if name == "attrs" else name: value for name, value in node.items()} for node in graph["nodes"]]
    return json.dumps({**graph, "nodes": nodes, "attrs": {"mxnet_version": ["int", number]}})


def _oldest(graph: dict[str, Any], kept_aside: set[str]) -> dict[str, Any]:
    old = graph["nodes"]
    place: dict[int, int] = {}
    nodes: list[dict[str, Any]] = []
    for index, node in enumerate(old):
        if node["name"] in kept_aside:
            continue
        place[index] = len(nodes)
        nodes.append({
            "op": node["op"],
            "param": {} if node["op"] == "null" else node.get("attrs", {}),
            "name": node["name"],
            "inputs": [[place[i], output] for i, output, _ in node["inputs"] if i in place],
            "backward_source_id": -1,
        })  # fmt: skip
    arguments = [index for index, node in enumerate(nodes) if node["op"] == "null"]
    return {"nodes": nodes, "arg_nodes": arguments, "heads": [[place[i], output] for i, output, _ in graph["heads"]]}
