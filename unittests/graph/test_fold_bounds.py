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
    options = {"no_bias": True, "kernel": (3, 3), "pad": (1, 1), **options}
    return mx.sym.Convolution(x, name=name, num_filter=4, **options)


def test_a_weight_that_is_computed_from_parameters_becomes_one() -> None:
    graph = with_values(norm(conv(DATA, "a", weight=mx.sym.var("w", shape=(4, 4, 3, 3)) * 0.5), "n"))
    folded = fold(graph)
    assert kinds(folded) == ["Convolution"]
    assert same_function(folded, graph)


@pytest.mark.parametrize("shared", [True, False])
def test_a_bias_of_two_layers_is_changed_for_one_alone(shared: bool) -> None:
    bias = [mx.sym.var(name, shape=(4,)) for name in ("b", "b" if shared else "c")]
    if shared:
        bias[1] = bias[0]
    one, two = (conv(DATA, name, bias=b, no_bias=False) for name, b in zip("de", bias, strict=True))
    graph = with_values(norm(one, "n") + two)
    folded = fold(graph)
    assert batch_norms(folded) == 0
    assert same_function(folded, graph)


@pytest.mark.parametrize("norms", [0, 1, 2])
def test_a_layer_that_runs_twice(norms: int) -> None:
    """Weight and BatchNorm serve both runs; where both end alike there is one weight, as there was."""
    weight = mx.sym.var("w", shape=(4, 4, 3, 3))
    parameters = {part: mx.sym.var(f"n_{part}") for part in ("gamma", "beta", "moving_mean", "moving_var")}
    runs = [conv(x, name, weight=weight) for x, name in ((DATA, "d"), (mx.sym.Activation(DATA, act_type="relu"), "e"))]
    for run in range(norms):
        runs[run] = mx.sym.BatchNorm(runs[run], fix_gamma=False, name=f"n{run}", **parameters)
    graph = with_values(runs[0] + runs[1])
    folded = fold(graph)
    assert batch_norms(folded) == 0
    assert same_function(folded, graph)
    weights = [name for name, array in folded.arrays.items() if array.shape == (4, 4, 3, 3)]
    assert len(weights) == (2 if norms == 1 else 1)


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


def with_arrays(graph: Graph, **arrays: list[float]) -> Graph:
    return Graph(graph.symbol, {**graph.arrays, **{name: nd.array(values) for name, values in arrays.items()}})


def behind(x: Any) -> Any:
    """A BatchNorm that goes into the padded convolution behind it, as the other side takes its shift back."""
    y = conv(x, "a") + x
    return conv(norm(y, "n"), "b") + y


def test_a_channel_that_a_batch_norm_holds_at_zero_is_folded() -> None:
    """Its factor and its shift are 0: what is asked of the layers before is 0, not 0 / 0. The third shifts nothing."""
    graph = with_arrays(
        with_values(behind(DATA)), n_gamma=[1.0, 0.0, 0.5, 1.5], n_beta=[0.3, 0.0, 0.0, 0.1],
        n_moving_mean=[0.1, 5.0, 0.0, 0.3],
    )  # fmt: skip
    folded = fold(graph)
    assert batch_norms(folded) == 0
    assert same_function(folded, graph)


@pytest.mark.parametrize(("shift", "left"), [(15.9, 0), (16.1, 1), (-16.1, 1)])
def test_shifts_of_sixteen_standard_deviations_are_the_largest(shift: float, left: int) -> None:
    graph = with_arrays(
        with_values(behind(DATA)), n_gamma=[1.0] * 4, n_beta=[0.0, shift, 0.0, 0.0], n_moving_mean=[0.0] * 4,
        n_moving_var=[0.999] * 4,
    )  # fmt: skip
    folded = fold(graph)
    assert batch_norms(folded) == left
    assert same_function(folded, graph)


@pytest.mark.parametrize(("options", "left"), [
    ({}, 0), ({"fix_gamma": True}, 0), ({"fix_gamma": False}, 0), ({"eps": 0.25}, 0), ({"axis": 1}, 0),
    ({"axis": 2, "shape": 6}, 1),
])  # fmt: skip
def test_options_of_a_batch_norm(options: dict[str, Any], left: int) -> None:
    """Where nothing is said, gamma is held at 1 and epsilon is a thousandth."""
    options = {key: value for key, value in options.items() if key != "shape"}
    graph = with_values(mx.sym.BatchNorm(conv(DATA, "a"), name="n", **options))
    folded = fold(graph)
    assert batch_norms(folded) == left
    assert same_function(folded, graph)


def small(x: Any, name: str, **options: Any) -> Any:
    """A convolution that needs no border."""
    return conv(x, name, pad=(0, 0), kernel=(1, 1), **options)


def dense(x: Any, name: str, hidden: int = 4, **options: Any) -> Any:
    return mx.sym.FullyConnected(x, name=name, num_hidden=hidden, **options)


BENT = mx.sym.tanh(DATA)
NORM, NORM_OF_BENT = norm(DATA, "n"), norm(BENT, "n")
MAP = conv(DATA, "a")
BEHIND = conv(norm(MAP, "n"), "b")  # takes a BatchNorm of the map, if the map can be raised
WEIGHT, BIAS = mx.sym.var("w"), mx.sym.var("b")
NOT_FOLDED = {
    "an activation takes it": mx.sym.Activation(NORM, act_type="relu"),
    "a layer and an activation take it": conv(NORM_OF_BENT, "c") + mx.sym.Activation(NORM_OF_BENT, act_type="relu"),
    "it is the graph's result": NORM_OF_BENT,
    "it is a layer's input and part of the result": small(NORM_OF_BENT, "c") + NORM_OF_BENT,
    "it is the weight of a layer": dense(
        mx.sym.var("rows", shape=(3, 4)), "f", 2, weight=mx.sym.mean(NORM, axis=(2, 3)), no_bias=True),
    "something that is no layer stands between": dense(mx.sym.Reshape(NORM, shape=(0, -1)), "f"),
    "a maximum before it cannot be raised": conv(norm(mx.sym.maximum(MAP, DATA), "n"), "c"),
    "what bends the raised map takes it too": BEHIND + mx.sym.tanh(MAP),
    "a mean of the raised map": BEHIND + mx.sym.Pooling(MAP, kernel=(3, 3), pad=(1, 1), pool_type="avg"),
    "a padded layer of the raised map": BEHIND + conv(MAP, "d"),
    "a layer that keeps the axes apart takes the map": dense(NORM, "f", flatten=False),
    "a layer that keeps the axes apart is before it": norm(dense(DATA, "f", flatten=False), "n"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_FOLDED)
def test_what_is_not_folded_gives_the_same(case: str) -> None:
    graph = with_values(NOT_FOLDED[case])
    assert batch_norms(fold(graph)) == batch_norms(graph)
    assert same_function(fold(graph), graph)


FOLDED = {
    "a flattened map in a layer that keeps the axes apart": dense(mx.sym.Flatten(NORM), "f", flatten=False),
    "a map in a layer that flattens": dense(NORM, "f"),
    "two layers, one flattened": mx.sym.broadcast_add(
        dense(mx.sym.Flatten(NORM), "f"), dense(NORM, "g", no_bias=True)),
    "the largest values of the raised map, in a layer without border": BEHIND + small(
        mx.sym.Pooling(MAP, kernel=(3, 3), pad=(1, 1), pool_type="max"), "d"),
    "a pooling that does not say which": BEHIND + small(mx.sym.Pooling(MAP, kernel=(3, 3), pad=(1, 1)), "d"),
    "identity, a stopped gradient and dropout": conv(
        mx.sym.Dropout(mx.sym.BlockGrad(mx.sym.identity(norm(MAP, "n")))), "c"),
    "the layers behind share a weight": small(NORM, "c", weight=WEIGHT) + small(BENT, "d", weight=WEIGHT),
    "a bias behind it is shared": (
        small(NORM, "c", bias=BIAS, no_bias=False) + small(BENT, "d", bias=BIAS, no_bias=False)),
    "a grouped layer without border beside it": BEHIND + small(MAP, "d", num_group=2, no_bias=False),
}  # fmt: skip


@pytest.mark.parametrize("case", FOLDED)
def test_what_is_folded_gives_the_same(case: str) -> None:
    graph = with_values(FOLDED[case])
    folded = fold(graph)
    assert set(kinds(folded)) <= {"Convolution", "FullyConnected", "Pooling", "Flatten", "elemwise_add",
                                  "broadcast_add", "_plus", "tanh"}  # fmt: skip
    assert same_function(folded, graph)


def test_dropout_that_is_always_on_stays() -> None:
    graph = with_values(conv(mx.sym.Dropout(DATA, mode="always"), "a"))
    assert kinds(fold(graph)) == ["Dropout", "Convolution"]


@pytest.mark.parametrize("outputs", [(BEHIND, MAP), (MAP, BEHIND), (conv(NORM, "c"), NORM), (NORM, conv(NORM, "c"))])
def test_what_the_graph_gives_beside_the_last_result_is_not_changed(outputs: tuple[Any, Any]) -> None:
    graph = with_values(mx.sym.Group(list(outputs)))
    folded = fold(graph)
    assert batch_norms(folded) == 1
    x = nd.array(np.random.default_rng(2).normal(0, 1, SHAPE))
    found, expected = (_symbol_block(g, [mx.cpu()])(x) for g in (folded, graph))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=1e-5, atol=1e-5)
