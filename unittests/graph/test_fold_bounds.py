"""Folding where parameters are computed or shared, where a second BatchNorm takes a shift, and in half precision."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from fairface.graph.fold import batch_norms, fold
from fairface.graph.saved import Graph
from fairface.interop.models import _symbol_block
from fairface.mx import mx, nd

DATA = mx.sym.var("data")
SHAPE = (2, 4, 6, 6)


def with_values(symbol: Any) -> Graph:
    rng = np.random.default_rng(1)
    shapes, _, auxiliary = symbol.infer_shape(data=SHAPE)
    named = [*zip(symbol.list_arguments(), shapes, strict=True)]
    named += zip(symbol.list_auxiliary_states(), auxiliary, strict=True)
    return Graph(symbol, {key: nd.array(rng.uniform(0.3, 1.2, shape)) for key, shape in named if key != "data"})


def same_function(graph: Graph, other: Graph) -> bool:
    x = nd.array(np.random.default_rng(2).normal(0, 1, SHAPE))
    values, expected = (_symbol_block(g, [mx.cpu()])(x).asnumpy() for g in (graph, other))
    return bool(np.abs(values - expected).max() < 1e-5 * np.abs(expected).max())


def kinds(graph: Graph) -> list[str]:
    nodes = json.loads(graph.symbol.tojson(remove_amp_cast=False))["nodes"]
    return [node["op"] for node in nodes if node["op"] != "null"]


def norm(x: Any, name: str) -> Any:
    return mx.sym.BatchNorm(x, name=name, fix_gamma=False, eps=1e-3)


def conv(x: Any, name: str, **options: Any) -> Any:
    options = {"no_bias": True, **options}
    return mx.sym.Convolution(x, name=name, kernel=(3, 3), pad=(1, 1), num_filter=4, **options)


def test_a_weight_that_is_computed_from_parameters_becomes_one() -> None:
    graph = with_values(norm(conv(DATA, "a", weight=mx.sym.var("w", shape=(4, 4, 3, 3)) * 0.5), "n"))
    folded = fold(graph)
    assert kinds(folded) == ["Convolution"]
    assert same_function(folded, graph)


@pytest.mark.parametrize("shared", [True, False])
def test_a_bias_of_two_layers_is_not_changed(shared: bool) -> None:
    bias = [mx.sym.var(name, shape=(4,)) for name in ("b", "b" if shared else "c")]
    if shared:
        bias[1] = bias[0]
    one, two = (conv(DATA, name, bias=b, no_bias=False) for name, b in zip("de", bias, strict=True))
    graph = with_values(norm(one, "n") + two)
    folded = fold(graph)
    assert batch_norms(folded) == int(shared)
    assert same_function(folded, graph)


def test_another_batch_norm_takes_the_shift_into_its_mean() -> None:
    """``n`` goes into the padded convolution behind it; ``m`` reads the same map and must not see the shift."""
    before = conv(DATA, "a")
    graph = with_values(conv(norm(before, "n"), "b") + mx.sym.Activation(norm(before, "m"), act_type="relu"))
    folded = fold(graph)
    assert batch_norms(folded) == 1
    assert same_function(folded, graph)


def test_casts_of_half_precision_are_left_out() -> None:
    half = mx.sym.amp_cast(conv(mx.sym.amp_cast(DATA, dtype="float16"), "a"), dtype="float32")
    plain = with_values(norm(conv(DATA, "a"), "n"))
    graph = Graph(norm(half, "n"), plain.arrays)
    assert kinds(graph).count("amp_cast") == 2
    folded = fold(graph)
    assert kinds(folded) == ["Convolution"]
    assert same_function(folded, plain)
