"""What an operator's inputs are to it, and parameters called by that.

What a parameter is called is up to whoever wrote the model: insightface's older nets call the weight of the operator
``pre_fc1`` ``fc1_weight``. By what it feeds it is called after the operator and its role there, ``pre_fc1_weight``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fairface.graph.saved import Graph, Node, nodes_of

# What an operator's inputs behind the first are. A LeakyReLU has a parameter where it is a PReLU.
_ROLES = {
    "Convolution": ("weight", "bias"),
    "FullyConnected": ("weight", "bias"),
    "BatchNorm": ("gamma", "beta", "moving_mean", "moving_var"),
    "LeakyReLU": ("gamma",),
}


def names_by_operator(graph: Graph) -> dict[str, str]:
    """The graph's name of a parameter to the name by what it feeds, ``<operator>_<role>``.

    A parameter that feeds two operators, or one whose inputs are not known here, keeps its name.
    """
    nodes, _ = nodes_of(graph.symbol)
    uses = Counter(nodes[index]["name"] for node in nodes for index, *_ in node["inputs"])
    names = {name: name for name in graph.arrays}
    for node in nodes:
        for role, parameter in parameters_of(node, nodes).items():
            if uses[parameter] == 1 and parameter in names:
                names[parameter] = f"{node['name']}_{role}"
    return names


def parameters_of(node: Node, nodes: Sequence[Node]) -> dict[str, str]:
    """Role to name of what an operator takes besides the data."""
    roles = _ROLES.get(node["op"], ())
    return {
        role: nodes[index]["name"]
        for role, (index, *_) in zip(roles, node["inputs"][1:], strict=False)  # a bias may be left out
        if nodes[index]["op"] == "null"
    }
