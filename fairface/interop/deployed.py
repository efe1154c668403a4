"""The values of an MXNet model's parameters as a net of ours needs them.

Parameters are known by what they feed (:mod:`fairface.graph.roles`), not by what the file calls them. Two things that
BatchNorm's node says and the arrays do not are put into the arrays:

* ``fix_gamma`` (MXNet's default): gamma counts as 1, whatever the file holds.
* another epsilon than ours: gamma takes ``sqrt((var + ours) / (var + theirs))``; where our gamma is held at 1, the
  variance takes the difference. Exact while running statistics are used.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fairface.graph.roles import names_by_operator, parameters_of
from fairface.graph.saved import Graph, nodes_of
from fairface.interop.insightface import from_insightface
from fairface.interop.torch.values import batch_norms
from fairface.mx import NDArray, gluon, nd, nn
from fairface.parameters import structural

_EPSILON = 1e-3  # MXNet's, where a node names none
_SAME = 1e-4  # epsilons that differ by less, as a share, are one


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
            gamma = parameters_of(node, nodes).get("gamma", "")
            layer = structural_name.get(gamma, "").removesuffix(".gamma")
            if layer in norms and f"{layer}.running_var" in values:
                _adapt(values, layer, norms[layer], node.get("attrs", {}))
    return values


def _adapt(values: dict[str, NDArray], layer: str, norm: nn.BatchNorm, theirs: Mapping[str, str]) -> None:
    gamma, variance = f"{layer}.gamma", f"{layer}.running_var"
    if theirs.get("fix_gamma", "True").lower() in ("true", "1"):
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
