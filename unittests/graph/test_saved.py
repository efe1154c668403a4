"""Forms of PReLU, names, and what is kept of a graph: by operators, by names and by results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.graph.export import export, write_deploy
from fairface.graph.fuse import fused
from fairface.graph.half import with_bfloat16
from fairface.graph.inference import for_inference
from fairface.graph.roles import names_by_operator, parameters_of
from fairface.graph.saved import Graph, nodes_of, symbol_of, with_names, with_prelu
from fairface.interop.models import _symbol_block
from fairface.mx import mx, nd, nn
from fairface.parameters import structural

SHAPE = (2, 4, 5, 5)
DATA = mx.sym.var("data")


def prelu(x: Any, name: str, **options: Any) -> Any:
    return mx.sym.LeakyReLU(x, act_type="prelu", name=name, **options)


def conv(x: Any, name: str, channels: int = 4, **options: Any) -> Any:
    return mx.sym.Convolution(x, name=name, kernel=(1, 1), num_filter=channels, no_bias=True, **options)


def with_values(symbol: Any) -> Graph:
    rng = np.random.default_rng(3)
    shapes, _, auxiliary = symbol.infer_shape(data=SHAPE)
    named = [*zip(symbol.list_arguments(), shapes, strict=True)]
    named += zip(symbol.list_auxiliary_states(), auxiliary, strict=True)
    return Graph(symbol, {key: nd.array(rng.uniform(0.3, 1.2, shape)) for key, shape in named if key != "data"})


def result(graph: Graph) -> np.ndarray:
    x = nd.array(np.random.default_rng(2).normal(0, 1, SHAPE))
    found: np.ndarray = _symbol_block(graph, [mx.cpu()])(x).asnumpy()
    return found


def kinds(graph: Graph) -> list[str]:
    nodes = json.loads(graph.symbol.tojson(remove_amp_cast=False))["nodes"]
    return [node["op"] for node in nodes if node["op"] != "null"]


def names(graph: Graph) -> list[str]:
    return [node["name"] for node in json.loads(graph.symbol.tojson())["nodes"] if node["op"] != "null"]


PRELU = ["LeakyReLU", "Reshape", "_minus_scalar", "_mul_scalar", "Convolution", "elemwise_add"]


def test_every_prelu_takes_the_other_form_and_its_layer_keeps_its_name() -> None:
    graph = with_values(prelu(conv(prelu(DATA, "one"), "c"), "two"))
    made = with_prelu(graph, "onednn")
    assert kinds(made) == [*PRELU, "Convolution", *PRELU]
    assert kinds(with_prelu(made, "onednn")) == kinds(made)
    assert made.arrays is graph.arrays
    assert [name for name in names(made) if "_" not in name] == ["one", "c", "two"]
    back = with_prelu(made, "native")
    assert kinds(back) == ["LeakyReLU", "Convolution", "LeakyReLU"]
    assert names(back) == ["one", "c", "two"]
    for other in (made, back):
        np.testing.assert_allclose(result(other), result(graph), rtol=1e-6, atol=1e-6)
    assert (result(graph) < 0).any()


def test_a_prelu_that_is_read_twice_takes_the_other_form_too() -> None:
    x = prelu(DATA, "one")
    graph = with_values(conv(x, "a") + conv(x, "b"))
    made = with_prelu(graph, "onednn")
    assert kinds(made).count("LeakyReLU") == 1
    np.testing.assert_allclose(result(made), result(graph), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(result(with_prelu(made, "native")), result(graph), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("symbol", [
    mx.sym.LeakyReLU(DATA, act_type="leaky", slope=0.5, name="leaky"),
    mx.sym.LeakyReLU(DATA, act_type="elu", slope=0.5, name="elu"),
    prelu(DATA, "computed", gamma=mx.sym.var("g", shape=(4,)) * 2.0),
    DATA + conv(mx.sym.LeakyReLU(DATA, act_type="leaky", slope=2.0**32), "x", num_group=4),
    DATA * conv(mx.sym.LeakyReLU(DATA, act_type="leaky", slope=0.25), "x"),
], ids=["leaky", "elu", "slopes that are computed", "weights of their own", "another operator"])  # fmt: skip
@pytest.mark.parametrize("form", ["onednn", "native"])
def test_what_is_no_prelu_of_the_other_form_stays(symbol: Any, form: str) -> None:
    graph = with_values(symbol)
    assert kinds(with_prelu(graph, form)) == kinds(graph)
    np.testing.assert_array_equal(result(with_prelu(graph, form)), result(graph))


def test_operators_are_called_as_their_layers_and_others_after_them() -> None:
    symbol = mx.sym.Activation(conv(prelu(DATA, "x"), "y", bias=None), act_type="relu", name="z")
    graph = with_values(symbol)
    renamed = with_names(graph, {"x_gamma": "first.gamma", "y_weight": "second.weight"}.__getitem__, ("out", "other"))
    assert names(renamed) == ["first", "second", "out"]
    assert set(renamed.arrays) == {"first.gamma", "second.weight"}
    np.testing.assert_array_equal(renamed.arrays["first.gamma"].asnumpy(), graph.arrays["x_gamma"].asnumpy())
    assert renamed.symbol.list_outputs() == ["out_output"]
    np.testing.assert_array_equal(result(renamed), result(graph))
    nodes = {node["name"]: node for node in json.loads(renamed.symbol.tojson())["nodes"]}
    assert nodes["first.gamma"]["attrs"] == {"__shape__": "(4,)", "__dtype__": "0", "__storage_type__": "0"}
    assert nodes["data"].get("attrs", {}) == {}


def test_the_last_operator_gets_the_first_name_that_no_layer_bears() -> None:
    last = mx.sym.Activation(conv(DATA, "a"), act_type="relu", name="z")
    graph = with_values(last)
    assert names(with_names(graph, lambda name: "out_weight", ("out", "other"))) == ["out", "other"]
    layer = with_values(conv(prelu(DATA, "p"), "q"))
    assert names(with_names(layer, {"p_gamma": "x_gamma", "q_weight": "out_weight"}.__getitem__, ("new", "out"))) == [
        "x", "out",
    ]  # fmt: skip


def test_operators_without_parameters_and_a_second_one_of_a_layer_are_told_apart() -> None:
    x = mx.sym.Activation(DATA, act_type="tanh", name="t")
    weight = mx.sym.var("w_weight")
    symbol = mx.sym.Activation(conv(conv(x, "a", weight=weight), "b", weight=weight), act_type="relu", name="r")
    graph = with_values(symbol)
    assert names(with_names(graph, lambda name: "layer.weight", ("out",))) == [
        "_t", "layer", "layer_convolution", "out",
    ]  # fmt: skip


def test_one_name_for_two_parameters_is_refused() -> None:
    graph = with_values(conv(prelu(DATA, "p"), "q"))
    with pytest.raises(CheckpointError, match=r"two of the net's parameters would have the name same; rename a layer"):
        with_names(graph, lambda name: "same", ("out",))


def test_only_what_the_outputs_need_is_kept() -> None:
    symbol = mx.sym.Group([conv(prelu(DATA, "p"), "q"), conv(DATA, "unused")])
    nodes, heads = nodes_of(symbol)
    made = symbol_of(nodes, heads[:1])
    assert made.list_arguments() == ["data", "p_gamma", "q_weight"]
    assert made.list_outputs() == ["q_output"]
    both = symbol_of(nodes, heads)
    assert both.list_outputs() == ["q_output", "unused_output"]
    assert json.loads(made.tojson())["attrs"]["mxnet_version"] == ["int", 10901]


def test_casts_are_left_out_unless_they_are_asked_for() -> None:
    cast = mx.sym.amp_cast(conv(mx.sym.amp_cast(DATA, dtype="float16"), "a"), dtype="float32")
    symbol = mx.sym.Activation(cast, act_type="relu")
    assert [node["op"] for node in nodes_of(symbol)[0]] == ["null", "null", "Convolution", "Activation"]
    assert [node["op"] for node in nodes_of(symbol, casts=True)[0]].count("amp_cast") == 2


def test_parameters_by_what_they_feed() -> None:
    shared = mx.sym.var("s")
    x = mx.sym.BatchNorm(conv(DATA, "c", weight=mx.sym.var("w")), mx.sym.var("g"), mx.sym.var("b"), mx.sym.var("m"),
                         mx.sym.var("v"), name="n")  # fmt: skip
    x = prelu(x, "p", gamma=shared) + prelu(DATA, "q", gamma=shared)
    x = mx.sym.FullyConnected(mx.sym.LeakyReLU(x, act_type="leaky"), mx.sym.var("f"), mx.sym.var("d"), num_hidden=3,
                              name="fc")  # fmt: skip
    x = mx.sym.broadcast_add(x, mx.sym.var("other"))
    x = mx.sym.FullyConnected(x, mx.sym.var("e") * 2.0, num_hidden=2, no_bias=True, name="last")
    arrays = {name: None for name in x.list_inputs() if name != "data"}
    assert names_by_operator(Graph(x, arrays)) == {  # type: ignore[arg-type]
        "w": "c_weight", "g": "n_gamma", "b": "n_beta", "m": "n_moving_mean", "v": "n_moving_var", "s": "s",
        "f": "fc_weight", "d": "fc_bias", "other": "other", "e": "e",
    }  # fmt: skip
    nodes, _ = nodes_of(x)
    found = {node["name"]: parameters_of(node, nodes) for node in nodes if node["op"] != "null"}
    assert found["c"] == {"weight": "w"}
    assert found["n"] == {"gamma": "g", "beta": "b", "moving_mean": "m", "moving_var": "v"}
    assert found["last"] == {}
    del arrays["w"]
    assert "w" not in names_by_operator(Graph(x, arrays))  # type: ignore[arg-type]


class Small(nn.HybridBlock):
    """A convolution, a BatchNorm, and a layer that the inference graph does not use."""

    def __init__(self) -> None:
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(4, 1, use_bias=False, in_channels=4)
            self.norm = nn.BatchNorm(in_channels=4)
            self.unused = nn.Dense(3, in_units=2)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.norm(self.conv(x))


@pytest.fixture
def net() -> Small:
    net = Small()
    net.initialize(mx.init.Uniform(1.0))
    net.norm.running_mean.set_data(nd.array([0.5, 0.25, -1.0, 2.0]))
    return net


def test_a_block_leaves_under_its_structural_names_and_is_as_before(net: Small, tmp_path: Path) -> None:
    x = nd.array(np.random.default_rng(2).normal(0, 1, SHAPE))
    before = {name: (p.name, net(x).asnumpy()) for name, p in structural(net).items()}
    symbol, arrays = export(net)
    assert set(arrays) == {
        "arg:conv.weight", "arg:norm.gamma", "arg:norm.beta", "aux:norm.running_mean", "aux:norm.running_var",
    }  # fmt: skip
    assert symbol.list_auxiliary_states() == ["norm.running_mean", "norm.running_var"]
    assert all(array.dtype == np.float32 for array in arrays.values())
    assert {name: p.name for name, p in structural(net).items()} == {name: old for name, (old, _) in before.items()}
    np.testing.assert_array_equal(net(x).asnumpy(), before["conv.weight"][1])
    graph = Graph(symbol, {key.split(":")[1]: value for key, value in arrays.items()})
    np.testing.assert_allclose(result(graph), net(x).asnumpy(), rtol=1e-5, atol=1e-5)
    for epoch, name in ((0, "m-0000.params"), (12, "m-0012.params")):
        files = write_deploy(graph, str(tmp_path / "m"), epoch)
        assert [file.name for file in files] == ["m-symbol.json", name]
        assert set(mx.nd.load(str(files[1]))) == set(arrays)
        assert mx.sym.load(str(files[0])).list_inputs() == symbol.list_inputs()
    assert write_deploy(graph, str(tmp_path / "n"))[1].name == "n-0000.params"


def test_bfloat16_is_for_operators_that_onednn_has_in_it() -> None:
    """Casts stand where a value changes from one kind to the other, each once; weights of convolutions are cast."""
    x = conv(DATA, "a")
    x = mx.sym.LeakyReLU(x, act_type="leaky", slope=0.1) + prelu(conv(x, "b"), "p")
    graph = with_values(mx.sym.Activation(mx.sym.elemwise_add(conv(x, "c"), DATA), act_type="relu"))
    half = with_bfloat16(graph)
    casts = {
        node["name"]: node["attrs"]["dtype"]
        for node in json.loads(half.symbol.tojson(remove_amp_cast=False))["nodes"] if node["op"] == "amp_cast"
    }  # fmt: skip
    assert sorted(casts.values()) == ["bfloat16", "bfloat16", "float32", "float32"]
    assert "data_0_bfloat16" in casts
    assert str(half.arrays["a_weight"].dtype) != str(half.arrays["p_gamma"].dtype) == str(np.dtype(np.float32).type)
    found = result(half)
    assert found.dtype == np.float32
    expected = result(graph)
    assert not np.array_equal(found, expected)
    assert np.abs(found - expected).max() < 0.03 * np.abs(expected).max()


def test_a_convolution_and_the_sum_behind_it_become_one_on_cpus_and_stay_on_gpus() -> None:
    x = conv(DATA, "a")
    symbol = mx.sym.FullyConnected(mx.sym.elemwise_add(conv(x, "b"), x), num_hidden=3, name="fc")
    graph = with_values(symbol)
    joined = fused(graph)
    assert kinds(joined).count("_sg_mkldnn_conv") == 2
    assert "elemwise_add" not in kinds(joined)
    assert kinds(joined)[-1] == "FullyConnected"
    np.testing.assert_allclose(result(joined), result(graph), rtol=1e-5, atol=1e-5)
    assert joined.arrays is graph.arrays
    on_gpu = for_inference(graph, on_gpu=True)
    assert kinds(on_gpu) == ["Convolution", "Convolution", "elemwise_add", "FullyConnected"]
    on_cpu = for_inference(graph, on_gpu=False)
    assert kinds(on_cpu) == kinds(joined)
    native = for_inference(with_values(prelu(DATA, "p")), on_gpu=True)
    assert kinds(native) == ["LeakyReLU"]
