"""insightface's models in and out, against its networks put together from symbols."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.backbones import BACKBONES, build_backbone
from fairface.backbones.fresnet import FRESNETS
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.graph.export import export, write_deploy
from fairface.graph.saved import Graph, with_names, with_prelu
from fairface.interop.check import check_same
from fairface.interop.insightface import insightface_name, structural_name, to_fairface, to_insightface
from fairface.interop.models import load_graph, load_model
from fairface.mx import mx, nd
from fairface.parameters import structural
from fairface.programs import export_model
from fairface.training.start import load_inference
from unittests.interop.insightface_symbols import fresnet, mobilefacenet

ROOT = Path(__file__).parents[2]
SIZE = 32
WIDTH = 0.125
CHANNELS = (8, 8, 16, 32, 64)
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, SIZE, SIZE)).astype(np.float32)
NETS = [("fresnet18", False), ("fresnet18", True), ("mobilefacenet", False), ("fresnet34", False)]
SLOW = [("fresnet50", False), ("fresnet50", True), ("fresnet100", False), ("fresnet152", False), ("fresnet200", False)]
ALL = [*NETS, *(pytest.param(*net, marks=pytest.mark.slow) for net in SLOW)]


def our_net(name: str, se: bool = False, **options: Any) -> Any:
    """A net with random statistics and slopes."""
    config = BackboneConfig(name=name, embedding=16, width=WIDTH, se=se, **options)
    net = build_backbone(config, SIZE)
    net.initialize()
    net(nd.array(IMAGES))
    rng = np.random.default_rng(1)
    for key, parameter in structural(net).items():
        if key.endswith("running_var"):
            parameter.set_data(nd.array(rng.uniform(0.5, 1.5, parameter.shape)))
        elif not key.endswith("weight") and parameter.grad_req != "null":
            parameter.set_data(nd.array(rng.uniform(0.1, 0.9, parameter.shape)))
        elif key.endswith("running_mean"):
            parameter.set_data(nd.array(rng.normal(0, 0.1, parameter.shape)))
    return net


def graph_of(net: Any) -> Graph:
    symbol, arrays = export(net)
    return Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()})


def their_symbol(name: str, se: bool) -> Any:
    return mobilefacenet(16, 8) if name == "mobilefacenet" else fresnet(FRESNETS[name].units, CHANNELS, 16, se)


def run_module(symbol: Any, arguments: dict[str, Any], auxiliary: dict[str, Any]) -> np.ndarray:
    """The way in which insightface's programs run a model."""
    module = mx.mod.Module(symbol, label_names=None)
    module.bind([("data", IMAGES.shape)], for_training=False)
    module.set_params(arguments, auxiliary)
    module.forward(mx.io.DataBatch([nd.array(IMAGES)]), is_train=False)
    return module.get_outputs()[0].asnumpy()


def operators(symbol: Any) -> Counter[str]:
    return Counter(node["op"] for node in json.loads(symbol.tojson())["nodes"])


def slopes(arrays: Any) -> int:
    return sum("relu" in key for key in arrays)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    scale = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "se"), ALL)
def test_ours_in_their_program(tmp_path: Path, name: str, se: bool) -> None:
    net = our_net(name, se)
    expected = net(nd.array(IMAGES)).asnumpy()
    write_deploy(to_insightface(graph_of(net)), str(tmp_path / "model"))
    symbol, arguments, auxiliary = mx.model.load_checkpoint(str(tmp_path / "model"), 0)
    close(run_module(symbol.get_internals()["fc1_output"], arguments, auxiliary), expected)
    theirs = their_symbol(name, se)
    assert set(theirs.list_arguments()) == {"data", *arguments}
    assert set(theirs.list_auxiliary_states()) == set(auxiliary)
    close(run_module(theirs, arguments, auxiliary), expected)
    found, wanted = operators(symbol), operators(theirs)
    assert found["LeakyReLU"] == wanted["LeakyReLU"] == slopes(arguments)
    assert found["Convolution"] == wanted["Convolution"]
    assert "prelu" not in "".join(symbol.get_internals().list_outputs())  # what PReLU was made of is gone
    names = [node["name"] for node in json.loads(symbol.tojson())["nodes"]]
    assert len(names) == len(set(names))
    with_parameters = {n for n in theirs.get_internals().list_outputs() if "_conv" in n or n.endswith("fc1_output")}
    assert {n for n in with_parameters if n.endswith("_output")} <= set(symbol.get_internals().list_outputs())


@pytest.mark.parametrize(("name", "se"), ALL)
def test_theirs_in_our_programs(tmp_path: Path, name: str, se: bool) -> None:
    theirs = their_symbol(name, se)
    shapes, _, auxiliary_shapes = theirs.infer_shape(data=(1, 3, SIZE, SIZE))
    rng = np.random.default_rng(2)
    arguments = {
        key: nd.array(random_values(rng, shape))
        for key, shape in zip(theirs.list_arguments(), shapes, strict=True)
        if key != "data"
    }
    auxiliary = {
        key: nd.array(rng.uniform(0.5, 1.5, shape))
        for key, shape in zip(theirs.list_auxiliary_states(), auxiliary_shapes, strict=True)
    }
    expected = run_module(theirs, arguments, auxiliary)
    arguments["fc7_weight"] = nd.ones((4, 16))
    mx.model.save_checkpoint(str(tmp_path / "model"), 7, with_classifier(theirs), arguments, auxiliary)
    name_of_model = f"{tmp_path / 'model'},7"
    loaded = load_model(name_of_model, [mx.cpu()])
    assert loaded.image_size == SIZE
    close(loaded.net(nd.array(IMAGES)).asnumpy(), expected)
    net = our_net(name, se)
    load_inference(net, resolve(name_of_model))
    close(net(nd.array(IMAGES)).asnumpy(), expected)
    ours = to_fairface(load_graph(resolve(name_of_model)))
    assert set(ours.arrays) == set(structural(net))
    assert operators(ours.symbol)["Convolution"] == operators(theirs)["Convolution"] + slopes(arguments)


def random_values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 1:
        return rng.uniform(0.2, 1, shape)
    return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)


def with_classifier(embedding: Any) -> Any:
    """A training checkpoint of insightface: two outputs, neither of which is the embedding."""
    features = mx.sym.L2Normalization(embedding, mode="instance", name="fc1n") * 64.0
    logits = mx.sym.FullyConnected(features, num_hidden=4, no_bias=True, name="fc7")
    return mx.sym.Group([mx.sym.SoftmaxActivation(logits, name="softmax"), mx.sym.BlockGrad(logits)])


@pytest.mark.parametrize("name", [n for n in BACKBONES if n.startswith(("fresnet", "mobile"))])
def test_names_there_and_back(name: str) -> None:
    options = [{}] if name == "mobilefacenet" else [{"se": True}, {"output": "ECCV"}, {"output": "GDC"}]
    for option in options if name in ("fresnet18", "mobilefacenet") else options[:1]:
        ours = list(structural(build_backbone(BackboneConfig(name=name, width=WIDTH, embedding=8, **option), SIZE)))
        theirs = [insightface_name(key) for key in ours]
        assert len(set(theirs)) == len(ours)
        assert all("." not in key for key in theirs)
        assert [structural_name(key) for key in theirs] == ours
    assert insightface_name("stages.0.1.bn1.running_mean") == "stage1_unit2_bn1_moving_mean"
    assert insightface_name("features.8.dw.1.gamma") == "res_4_block0_conv_dw_batchnorm_gamma"
    assert structural_name("dconv_45_conv_proj_conv2d_weight") == "features.14.proj.0.weight"
    assert structural_name("something_else_weight") == "something_else_weight"


@pytest.mark.parametrize("name", ["ir_18", "ir_se_18", "r50sa", "resnet18"])
def test_every_family_leaves_as_an_mxnet_model(tmp_path: Path, name: str) -> None:
    net = build_backbone(BackboneConfig(name=name, embedding=16, width=WIDTH), SIZE)
    net.initialize()
    expected = net(nd.array(IMAGES)).asnumpy()
    write_deploy(to_insightface(graph_of(net)), str(tmp_path / "model"))
    symbol, arguments, auxiliary = mx.model.load_checkpoint(str(tmp_path / "model"), 0)
    close(run_module(symbol.get_internals()["fc1_output"], arguments, auxiliary), expected)


def test_two_parameters_of_one_name_are_refused() -> None:
    graph = graph_of(our_net("fresnet18"))
    with pytest.raises(CheckpointError, match="would have the name x"):
        with_names(graph, lambda name: "x", ("fc1",))


def test_attribute_fusion_leaves_with_its_own_output(tmp_path: Path) -> None:
    net = our_net("fresnet18", output="ECCV")
    expected = net(nd.array(IMAGES)).asnumpy()
    write_deploy(to_insightface(graph_of(net)), str(tmp_path / "model"))
    symbol, arguments, auxiliary = mx.model.load_checkpoint(str(tmp_path / "model"), 0)
    assert symbol.list_outputs() == ["fusion_fc1_output"]
    assert "fc1_output" in symbol.get_internals().list_outputs()
    close(run_module(symbol, arguments, auxiliary), expected)
    both = mx.sym.Group([symbol, mx.sym.BlockGrad(symbol.get_internals()["class_branch_fc_output"], name="attributes")])
    mx.model.save_checkpoint(str(tmp_path / "both"), 0, both, arguments, auxiliary)
    close(load_model(f"{tmp_path / 'both'},0", [mx.cpu()]).net(nd.array(IMAGES)).asnumpy(), expected)


@pytest.mark.parametrize("name", ["fresnet18", "mobilefacenet", "ir_18"])
def test_forms_of_prelu_change_places_and_back(name: str) -> None:
    net = our_net(name)
    graph = graph_of(net)
    native = with_prelu(graph, "native")
    back = with_prelu(native, "onednn")
    before, there, again = (operators(g.symbol) for g in (graph, native, back))
    assert again == before
    assert there["LeakyReLU"] == before["LeakyReLU"]
    assert there["Convolution"] == before["Convolution"] - before["LeakyReLU"]
    assert native.symbol.list_arguments() == graph.symbol.list_arguments()
    assert operators(with_prelu(native, "native").symbol) == there


def test_program_writes_and_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = export_model.main
    checkpoint = str(ROOT / "unittests" / "fixtures" / "arcface_torch.pth")
    program([checkpoint, str(tmp_path / "new" / "theirs"), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert [Path(file).name for file in printed["files"]] == ["theirs-symbol.json", "theirs-0000.params"]
    assert printed["difference"] < 1e-5
    program([f"{tmp_path}/new/theirs,0", str(tmp_path / "ours"), "--to", "fairface"])
    assert "names as fairface writes them" in capsys.readouterr().out
    assert "arg:stages.0.0.bn1.gamma" in mx.nd.load(str(tmp_path / "ours-0000.params"))
    with pytest.raises(SystemExit):
        program([checkpoint, str(tmp_path / "x"), "--to", "nobody"])
    with pytest.raises(CheckpointError, match="no such file"):
        program([str(tmp_path / "none.pth"), str(tmp_path / "x")])


def test_other_models_are_told_apart(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        mx.random.seed(seed)
        net = build_backbone(BackboneConfig(name="fresnet18", embedding=16, width=WIDTH), SIZE)
        net.initialize()
        write_deploy(graph_of(net), str(tmp_path / name))
    with pytest.raises(CheckpointError, match="differ from"):
        check_same(f"{tmp_path}/a,0", f"{tmp_path}/b,0")
    assert check_same(f"{tmp_path}/a,0", f"{tmp_path}/a,0") == 0


def test_a_parameter_that_is_not_there_is_named(tmp_path: Path) -> None:
    symbol, params = write_deploy(to_insightface(graph_of(our_net("fresnet18"))), str(tmp_path / "model"))
    arrays = mx.nd.load(str(params))
    del arrays["aux:stage2_unit1_sc_moving_var"]
    mx.nd.save(str(params), arrays)
    with pytest.raises(CheckpointError, match="stage2_unit1_sc_moving_var"):
        load_model(f"{tmp_path}/model,0", [mx.cpu()])
    symbol.write_text("{}")
    with pytest.raises(CheckpointError, match="is not an MXNet symbol"):
        load_model(f"{tmp_path}/model,0", [mx.cpu()])
