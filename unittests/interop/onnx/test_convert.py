"""The written graphs, run by ONNX Runtime, against MXNet: every family of backbones, and what others rely on."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import onnx
import pytest

from fairface.backbones import BACKBONES
from fairface.errors import CheckpointError
from fairface.graph.saved import Graph
from fairface.interop.onnx.convert import convert
from fairface.mx import mx, nd
from unittests.interop.onnx.nets import DIMENSIONS, images, random_net, run, unit

# Where the units repeat, one depth stands for all in the fast tests; `make test-slow` converts every net.
FAST: list[tuple[str, dict[str, Any]]] = [
    ("fresnet18", {"se": True}), ("fresnet18", {"output": "ECCV"}), ("mobilefacenet", {}), ("ir_18", {}),
    ("resnet18", {}), ("split_ir_tiny", {}), ("lpd_tiny", {}),
]  # fmt: skip
SLOW: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in sorted(set(BACKBONES) - {name for name, _ in FAST})),
    ("fresnet18", {"output": "GDC"}), ("split_ir_tiny", {"regions": "rows_separate"}),
]  # fmt: skip
SIZE = 64


def parity(name: str, options: dict[str, Any]) -> onnx.ModelProto:
    size = 112 if options.get("regions") == "rows_separate" else SIZE
    net, graph = random_net(name, size, **options)
    model = convert(graph, size, DIMENSIONS)
    for count in (1, 3):  # the batch is free
        x = images(count, size)
        np.testing.assert_allclose(unit(run(model, x)), unit(net(nd.array(x)).asnumpy()), atol=1e-5)
    rows = unit(run(model, x))
    assert min(np.abs(rows[a] - rows[b]).max() for a, b in ((0, 1), (0, 2), (1, 2))) > 1e-4  # images are told apart
    return model


@pytest.mark.parametrize(("name", "options"), FAST)
def test_embeddings_are_mxnets_and_the_file_fits_other_programs(name: str, options: dict[str, Any]) -> None:
    model = parity(name, options)
    onnx.checker.check_model(model, full_check=True)
    graph = model.graph
    assert [value.name for value in graph.input] == ["data"]  # no initialiser among them
    assert [value.name for value in graph.output] == ["embedding"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    first = [node.name for node in graph.node[:8]]  # what insightface looks at
    assert any(node.startswith("Sub") for node in first)
    assert any(node.startswith("Mul") for node in first)
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    used = {value for node in graph.node for value in node.input}
    assert {tensor.name for tensor in graph.initializer} <= used


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), SLOW)
def test_every_other_net(name: str, options: dict[str, Any]) -> None:
    parity(name, options)


def test_a_prelu_is_one_node_with_a_slope_per_map() -> None:
    _, graph = random_net("fresnet18", SIZE)
    model = convert(graph, SIZE, DIMENSIONS)
    counts = collections.Counter(node.op_type for node in model.graph.node)
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    slopes = [shapes[node.input[1]] for node in model.graph.node if node.op_type == "PRelu"]
    assert counts["PRelu"] == 9
    assert all(len(shape) == 3 and shape[1:] == (1, 1) for shape in slopes)
    assert counts["LeakyRelu"] == counts["MatMul"] == 0
    assert counts["BatchNormalization"] <= 1


def test_gates_of_channels_are_one_product() -> None:
    _, graph = random_net("fresnet18", SIZE, se=True)
    kinds = collections.Counter(node.op_type for node in convert(graph, SIZE, DIMENSIONS).graph.node)
    assert kinds["MatMul"] == kinds["Reshape"] == 0
    assert kinds["Mul"] >= 8


def test_the_same_net_gives_the_same_bytes() -> None:
    nets = []
    for _ in range(2):
        nets.append(convert(random_net("fresnet18", SIZE)[1], SIZE, DIMENSIONS).SerializeToString())
    assert nets[0] == nets[1]


def symbol_graph(symbol: Any, **shapes: tuple[int, ...]) -> Graph:
    rng = np.random.default_rng(0)
    return Graph(symbol, {name: nd.array(rng.normal(size=shape)) for name, shape in shapes.items()})


def mxnet(graph: Graph, x: Any) -> Any:
    from fairface.interop.models import _symbol_block

    return _symbol_block(graph, [mx.cpu()])(nd.array(x)).asnumpy()


def by_operators(x: Any) -> dict[str, Any]:
    """Nets of one or two operators that users' own networks may have, each from images to (B, D)."""
    sym = mx.sym
    flat = sym.Flatten
    pooled = sym.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="avg", count_include_pad=False)
    return {
        "scalars": flat(2.0 - 1.0 / (x + 3.0) * 0.5),
        "bounds": flat(sym.clip(x, 50, 200)),
        "powers": flat(sym.sqrt(sym.square(x) + 1) - x**2 * 0.001),
        "turned": flat(sym.SwapAxis(sym.transpose(x, axes=(0, 2, 3, 1)), 1, 2)),
        "cut": flat(sym.slice(x, begin=(None, 1, 0), end=(None, 3, 7), step=(1, 1, 2))),
        "reduced": flat(sym.sum(sym.expand_dims(x, axis=1), axis=(1, 2), keepdims=True)),
        "largest": flat(sym.max(x, axis=-1)),
        "length": sym.L2Normalization(flat(x)),
        "softmax": flat(sym.softmax(x * 0.01, axis=1)),
        "elu": flat(sym.LeakyReLU(x - 100, act_type="elu", slope=0.3)),
        "average": flat(pooled),
        "full": flat(sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max", pooling_convention="full")),
        "largest of a map": flat(sym.Pooling(x, kernel=(1, 1), global_pool=True, pool_type="max")),
        "border": flat(sym.Pad(x, mode="constant", constant_value=3, pad_width=(0, 0, 0, 0, 1, 2, 0, 1))),
        "softplus": flat(sym.Activation(x * 0.1, act_type="softrelu")),
        "sum of three": flat(sym.add_n(x, x * 2, sym.relu(x - 100))),
        "half minus": flat(sym.elemwise_sub(x, sym.abs(x - 128.0))),
    }


def test_operators_of_users_own_nets() -> None:
    x = images(2, 9)
    for name, symbol in by_operators(mx.sym.var("data")).items():
        graph = symbol_graph(symbol)
        expected = mxnet(graph, x)
        found = run(convert(graph, 9, expected.shape[1]), x)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_graph_that_begins_otherwise_still_shows_that_it_takes_pixels() -> None:
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), mx.sym.var("w"), no_bias=True, num_hidden=4)
    graph = symbol_graph(symbol, w=(4, 243))
    model = convert(graph, 9, 4)
    assert [node.name for node in model.graph.node[:2]] == ["Sub_pixels", "Mul_pixels"]
    np.testing.assert_allclose(run(model, images(2, 9)), mxnet(graph, images(2, 9)), rtol=1e-5)


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        (lambda x: mx.sym.Flatten(mx.sym.erf(x)), "operator erf is not written"),
        (lambda x: mx.sym.Flatten(mx.sym.Pad(x, mode="edge", pad_width=(0, 0, 0, 0, 1, 1, 1, 1))), "in mode edge"),
        (lambda x: mx.sym.Flatten(mx.sym.Pooling(x, kernel=(2, 2), pool_type="lp", p_value=2)), "of type lp"),
    ],
)
def test_what_cannot_be_written_is_named(symbol: Any, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        convert(symbol_graph(symbol(mx.sym.var("data"))), 9, 4)
