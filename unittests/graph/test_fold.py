"""BatchNorm folded into the layers around it: every family with random statistics, and each rule by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fairface.backbones import BACKBONES, build_backbone
from fairface.config.schema import BackboneConfig
from fairface.errors import DeviceError
from fairface.graph.export import export
from fairface.graph.fold import batch_norms, fold
from fairface.graph.half import with_bfloat16
from fairface.graph.inference import for_inference
from fairface.graph.saved import Graph, with_prelu
from fairface.interop.models import _symbol_block
from fairface.mx import mx, nd
from fairface.parameters import structural

SIZE = 32
# Family, options, BatchNorms that are left. A gate ends a unit of SE nets: the next unit's first one has to stay.
FAST = [
    ("fresnet18", {}, 0), ("fresnet18", {"se": True}, 7), ("mobilefacenet", {}, 0), ("ir_18", {}, 1),
    ("resnet18", {}, 0), ("fresnet18", {"output": "GDC"}, 0),
    ("split_ir_18", {}, 9), ("split_ir_18", {"regions": "rows_separate"}, 4),
]  # fmt: skip
WIDTH = 0.125


def random_graph(name: str, options: dict[str, Any], size: int = SIZE) -> tuple[Any, Graph]:
    """A net with random statistics, slopes and shifts, and its graph."""
    net = build_backbone(BackboneConfig(name=name, embedding=8, width=WIDTH, **options), size)
    net.initialize()
    net(nd.zeros((1, 3, size, size)))
    rng = np.random.default_rng(0)
    for key, parameter in structural(net).items():
        if key.endswith("running_var"):
            parameter.set_data(nd.array(rng.uniform(0.5, 2, parameter.shape)))
        elif key.endswith("gamma"):
            # As in trained nets, whose maps stay of one size: else hundreds of units in a row make 1e11 of a pixel, and
            # gates that see it turn the last bit of a float32 into anything.
            parameter.set_data(nd.array(rng.uniform(0.2, 1.5, parameter.shape) * min(1.0, 40 / len(structural(net)))))
        elif key.endswith(("beta", "running_mean", "bias")):
            parameter.set_data(nd.array(rng.normal(0, 0.3, parameter.shape)))
    symbol, arrays = export(net)
    return net, Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()})


def outputs(graph: Graph, x: nd.NDArray) -> Any:
    return _symbol_block(graph, [mx.cpu()])(x).asnumpy()


def error(values: Any, expected: Any) -> float:
    return float(np.abs(values - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(("name", "options", "left"), FAST)
def test_folded_nets_give_the_same_embeddings(name: str, options: dict[str, Any], left: int) -> None:
    net, graph = random_graph(name, options)
    x = nd.random.uniform(0, 255, (2, 3, SIZE, SIZE))
    expected = net(x).asnumpy()
    folded = fold(graph)
    assert batch_norms(folded) == left
    assert error(outputs(folded, x), expected) < 1e-5
    assert error(outputs(fold(with_prelu(graph, "native")), x), expected) < 1e-5
    assert error(outputs(for_inference(graph, on_gpu=False), x), expected) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(BACKBONES) - {"fresnet18", "mobilefacenet", "ir_18", "resnet18"}))
def test_every_other_net(name: str) -> None:
    net, graph = random_graph(name, {}, 64)
    x = nd.random.uniform(0, 255, (2, 3, 64, 64))
    assert error(outputs(for_inference(graph, on_gpu=False), x), net(x).asnumpy()) < 1e-5


@pytest.mark.parametrize("name", ["fresnet18", "mobilefacenet"])
def test_bfloat16_stays_close_and_gives_float32(name: str) -> None:
    net, graph = random_graph(name, {})
    x = nd.random.uniform(0, 255, (4, 3, SIZE, SIZE))
    expected = net(x).asnumpy()
    for ready in (with_bfloat16(graph), for_inference(graph, on_gpu=False, precision="bf16")):
        values = outputs(ready, x)
        assert values.dtype == np.float32
        lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((values * expected).sum(axis=1) / lengths).min() > 0.999
        assert not np.array_equal(values, expected)


def test_what_a_device_cannot_do_is_refused() -> None:
    with pytest.raises(DeviceError, match="for CPUs"):
        for_inference(Graph(mx.sym.var("data"), {}), on_gpu=True, precision="bf16")
    with pytest.raises(DeviceError, match="fp8"):
        for_inference(Graph(mx.sym.var("data"), {}), on_gpu=False, precision="fp8")


def small(symbol: Any, gamma: Any = None) -> tuple[Graph, nd.NDArray]:
    """The symbol of ``data (2, 4, 6, 6)`` with random parameters; ``gamma`` is that of the layer ``n``."""
    rng = np.random.default_rng(1)
    shapes, _, auxiliary = symbol.infer_shape(data=(2, 4, 6, 6))
    named = [*zip(symbol.list_arguments(), shapes, strict=True)]
    named += zip(symbol.list_auxiliary_states(), auxiliary, strict=True)
    arrays = {key: nd.array(rng.uniform(0.3, 1.2, shape)) for key, shape in named if key != "data"}
    if gamma is not None:
        arrays["n_gamma"] = nd.array(gamma)
    return Graph(symbol, arrays), nd.array(rng.normal(0, 1, (2, 4, 6, 6)))


def norm(x: Any, name: str = "n", fixed: bool = False) -> Any:
    return mx.sym.BatchNorm(x, name=name, fix_gamma=fixed, eps=1e-3)


def conv(x: Any, name: str, pad: int = 1, groups: int = 1, bias: bool = False) -> Any:
    return mx.sym.Convolution(
        x, name=name, kernel=(3, 3), pad=(pad, pad), num_filter=4, num_group=groups, no_bias=not bias
    )


def residual(x: Any) -> Any:
    y = conv(x, "a") + x
    return conv(norm(y), "b") + y


DATA = mx.sym.var("data")
GRAPHS = {
    "conv, bn": (norm(conv(DATA, "a")), 0),
    "grouped conv with bias, bn, gamma held at 1": (norm(conv(DATA, "a", groups=2, bias=True), fixed=True), 0),
    "fc, bn": (norm(mx.sym.FullyConnected(DATA, num_hidden=4)), 0),
    "bn, conv without padding": (conv(norm(DATA), "a", pad=0, groups=2), 0),
    "bn, dropout, flatten, fc": (
        mx.sym.FullyConnected(mx.sym.Flatten(mx.sym.Dropout(norm(DATA))), num_hidden=3), 0),
    "bn, padded conv, nothing before": (conv(norm(DATA), "a"), 1),
    "the same with a convolution on the other side": (conv(residual(conv(DATA, "c")), "d"), 0),
}  # fmt: skip


@pytest.mark.parametrize("case", GRAPHS)
def test_each_rule(case: str) -> None:
    symbol, left = GRAPHS[case]
    graph, x = small(symbol)
    folded = fold(graph)
    assert batch_norms(folded) == left
    assert error(outputs(folded, x), outputs(graph, x)) < 1e-6


def test_sum_that_ends_the_graph_takes_the_shift_back_on_its_other_side() -> None:
    graph, x = small(residual(DATA))
    folded = fold(graph)
    assert batch_norms(folded) == 0
    assert error(outputs(folded, x), outputs(graph, x)) < 1e-6


@pytest.mark.parametrize("tiny", [0.0, 1e-6])
def test_factor_near_zero_before_a_padded_convolution_stays(tiny: float) -> None:
    graph, x = small(residual(DATA), gamma=[1.0, tiny, 1.0, 1.0])
    folded = fold(graph)
    assert batch_norms(folded) == 1
    assert error(outputs(folded, x), outputs(graph, x)) < 1e-6


def test_layer_that_others_take_keeps_its_values() -> None:
    shared = conv(DATA, "a")
    graph, x = small(norm(shared) + mx.sym.Activation(shared, act_type="relu"))
    folded = fold(graph)
    assert batch_norms(folded) == 1
    assert error(outputs(folded, x), outputs(graph, x)) < 1e-6


def test_weight_of_two_layers_is_not_changed() -> None:
    weight = mx.sym.var("w")
    one, two = (
        mx.sym.Convolution(DATA, weight, name=n, kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True) for n in "ab"
    )
    graph, x = small(norm(one) + two)
    assert error(outputs(fold(graph), x), outputs(graph, x)) < 1e-6
