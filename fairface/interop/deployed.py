"""The values of an MXNet model's parameters as a net of ours needs them.

What a parameter is called is up to whoever wrote the model: insightface's older nets call the weight of the operator
``pre_fc1`` ``fc1_weight``. So a parameter is called here by what it feeds: the operator's name and the parameter's role
in it, ``pre_fc1_weight``. Two things that BatchNorm's node says and the arrays do not are put into the arrays:

* ``fix_gamma`` (MXNet's default): gamma counts as 1, whatever the file holds.
* another epsilon than ours: gamma takes ``sqrt((var + ours) / (var + theirs))``; where our gamma is held at 1, the
  variance takes the difference. Exact while running statistics are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from fairface.graph.saved import Graph, Node, nodes_of
from fairface.interop.insightface import from_insightface
from fairface.interop.torch.values import batch_norms
from fairface.mx import NDArray, gluon, nd, nn
from fairface.parameters import structural

# What an operator's inputs behind the first are. A LeakyReLU has a parameter where it is a PReLU.
_ROLES = {
    "Convolution": ("weight", "bias"),
    "FullyConnected": ("weight", "bias"),
    "BatchNorm": ("gamma", "beta", "moving_mean", "moving_var"),
    "LeakyReLU": ("gamma",),
}
_EPSILON = 1e-3  # MXNet's, where a node names none
_SAME = 1e-4  # epsilons that differ by less, as a share, are one


def names_by_operator(graph: Graph) -> dict[str, str]:
    """The graph's name of a parameter to the name by what it feeds, ``<operator>_<role>``.

    A parameter that feeds two operators, or one whose inputs are not known here, keeps its name.
    """
    nodes, _ = nodes_of(graph.symbol)
    uses = Counter(nodes[index]["name"] for node in nodes for index, *_ in node["inputs"])
    names = {name: name for name in graph.arrays}
    for node in nodes:
        for role, parameter in _parameters(node, nodes).items():
            if uses[parameter] == 1 and parameter in names:
                names[parameter] = f"{node['name']}_{role}"
    return names


def values_for(net: gluon.HybridBlock, graph: Graph) -> dict[str, NDArray]:
    """Structural name to array, with which ``net`` gives the embeddings that ``graph`` gives, if it is the same net.

    What has no counterpart in ``net`` is there under its own name. Where the graph bears our names, they are taken.
    """
    own = structural(net)
    if not graph.arrays.keys().isdisjoint(own):
        return dict(graph.arrays)
    ours = from_insightface({new: old for old, new in names_by_operator(graph).items()}, own)
    values = {key: graph.arrays[old] for key, old in ours.items()}
    structural_name = {old: key for key, old in ours.items()}
    norms = dict(batch_norms(net))
    nodes, _ = nodes_of(graph.symbol)
    for node in nodes:
        if node["op"] == "BatchNorm":
            gamma = _parameters(node, nodes)["gamma"]
            layer = structural_name.get(gamma, "").removesuffix(".gamma")
            if layer in norms and f"{layer}.running_var" in values:
                _adapt(values, layer, norms[layer], node.get("attrs", {}))
    return values


def _parameters(node: Node, nodes: Sequence[Node]) -> dict[str, str]:
    """Role to name of what an operator takes besides the data."""
    roles = _ROLES.get(node["op"], ())
    return {
        role: nodes[index]["name"]
        for role, (index, *_) in zip(roles, node["inputs"][1:], strict=False)  # a bias may be left out
        if nodes[index]["op"] == "null"
    }


def _adapt(values: dict[str, NDArray], layer: str, norm: nn.BatchNorm, theirs: Mapping[str, str]) -> None:
    gamma, variance = f"{layer}.gamma", f"{layer}.running_var"
    if theirs.get("fix_gamma", "True") in ("True", "1"):
        values[gamma] = nd.ones_like(values[gamma])
    epsilon, own = float(theirs.get("eps", _EPSILON)), float(norm._kwargs["eps"])
    if abs(epsilon - own) <= _SAME * own:
        return
    var = values[variance].asnumpy().astype(np.float64)
    if norm._kwargs["fix_gamma"]:
        values[variance] = nd.array(np.maximum(var + epsilon - own, 0), dtype=np.float32)
    else:
        factor = np.sqrt((var + own) / (var + epsilon))
        values[gamma] = nd.array(values[gamma].asnumpy() * factor, dtype=np.float32)
