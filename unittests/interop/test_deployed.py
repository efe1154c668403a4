"""Other systems' MXNet models as nets of ours: by what feeds which operator, in symbols of every version of MXNet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.fresnet import FResNet, FResNetShape
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.graph.export import export, write_deploy
from fairface.graph.saved import Graph
from fairface.interop.insightface import to_fairface
from fairface.interop.models import load_graph, load_model
from fairface.interop.weights import weights_for
from fairface.mx import mx, nd
from fairface.parameters import structural
from fairface.training.start import load_inference
from unittests.interop.insightface_symbols import fresnet, mobilefacenet
from unittests.interop.old_symbols import VERSIONS, as_written_by

SIZE = 32
WIDTH = 0.125
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, SIZE, SIZE)).astype(np.float32)
MOBILE = BackboneConfig(name="mobilefacenet", embedding=16, width=WIDTH)
SMALL = BackboneConfig(name="small", embedding=16, se=True)  # a fresnet of four units, which has no name
SHAPE = FResNetShape((1, 1, 1, 1), (4, 4, 8, 8, 16))


def symbol_of(config: BackboneConfig) -> Any:
    return mobilefacenet(16, 8) if config is MOBILE else fresnet(SHAPE.units, SHAPE.channels, 16, se=True)


def write(folder: Path, symbol: Any, version: str = "1.9", renamed: dict[str, str] | None = None,
          changes: dict[str, dict[str, str]] | None = None) -> str:  # fmt: skip
    """A model with random values; ``renamed`` parameters, other attributes (``changes``) of some operators."""
    rng = np.random.default_rng(2)
    names = {name: (renamed or {}).get(name, name) for name in symbol.list_inputs()}
    shapes, _, auxiliary_shapes = symbol.infer_shape(data=(1, 3, SIZE, SIZE))
    arrays = {}
    for kind, keys, sizes in (
        ("arg", symbol.list_arguments(), shapes), ("aux", symbol.list_auxiliary_states(), auxiliary_shapes)
    ):  # fmt: skip
        for key, shape in zip(keys, sizes, strict=True):
            if key != "data":
                scale = np.sqrt(2 / np.prod(shape[1:]))
                values = rng.uniform(0.2, 1, shape) if len(shape) == 1 else rng.normal(0, scale, shape)
                arrays[f"{kind}:{names[key]}"] = nd.array(values)
    graph = json.loads(as_written_by(version, symbol))
    for node in graph["nodes"]:
        node["name"] = names.get(node["name"], node["name"])
        if changes and node["name"] in changes:
            node["attrs"].update(changes[node["name"]])
    (folder / "model-symbol.json").write_text(json.dumps(graph))
    mx.nd.save(str(folder / "model-0000.params"), arrays)
    return f"{folder}/model,0"


def net_of(config: BackboneConfig) -> Any:
    net = build_backbone(config, SIZE) if config is MOBILE else FResNet(SHAPE, config, SIZE, "onednn")
    net.initialize()
    return net


def same(name: str, config: BackboneConfig) -> np.ndarray:
    """Assert that our net gives the embeddings that the model's own graph gives, and return them."""
    net = net_of(config)
    assert load_inference(net, resolve(name)) == ""
    files = resolve(name)
    symbol, arguments, auxiliary = mx.model.load_checkpoint(str(files.symbol).removesuffix("-symbol.json"), 0)
    module = mx.mod.Module(symbol, label_names=None)
    module.bind([("data", IMAGES.shape)], for_training=False)
    module.set_params(arguments, auxiliary)
    module.forward(mx.io.DataBatch([nd.array(IMAGES)]), is_train=False)
    expected = module.get_outputs()[0].asnumpy()
    found = net(nd.array(IMAGES)).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.linalg.norm(expected, axis=1).min())
    return found


def test_symbols_of_every_version(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    expected = same(write(tmp_path, symbol_of(SMALL)), SMALL)
    net = net_of(SMALL)
    capfd.readouterr()
    for version in VERSIONS:
        name = write(tmp_path, symbol_of(SMALL), version, {"pre_fc1_weight": "fc1_weight"})
        load_inference(net, resolve(name))
        np.testing.assert_array_equal(net(nd.array(IMAGES)).asnumpy(), expected)
        net.initialize(force_reinit=True)
    found = load_model(name, [mx.cpu()]).net(nd.array(IMAGES)).asnumpy()
    assert capfd.readouterr() == ("", "")  # nothing of MXNet's own reaches the terminal
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_mobilefacenet_whose_weight_is_called_after_another_operator(tmp_path: Path) -> None:
    name = write(tmp_path, symbol_of(MOBILE), "1.0", {"pre_fc1_weight": "fc1_weight"})
    expected = same(name, MOBILE)
    ours = to_fairface(load_graph(resolve(name)))
    net = net_of(MOBILE)
    assert set(ours.arrays) == set(structural(net))
    write_deploy(ours, str(tmp_path / "ours"))
    load_inference(net, resolve(f"{tmp_path}/ours,0"))
    np.testing.assert_array_equal(net(nd.array(IMAGES)).asnumpy(), expected)


def test_names_say_nothing(tmp_path: Path) -> None:
    """Names that are numbers, and names that are those of other layers."""
    symbol = symbol_of(SMALL)
    inputs = [name for name in symbol.list_inputs() if name != "data"]
    same(write(tmp_path, symbol, renamed={name: f"p{i}" for i, name in enumerate(inputs)}), SMALL)
    turned = dict(zip(inputs, [*inputs[1:], inputs[0]], strict=True))
    same(write(tmp_path, symbol, renamed=turned), SMALL)


def test_fixed_gamma_and_other_epsilons(tmp_path: Path) -> None:
    """A symbol may hold a gamma at 1, whatever its file says, and have epsilons of its own."""
    plain = same(write(tmp_path, symbol_of(SMALL)), SMALL)
    for changes in (
        {"bn0": {"fix_gamma": "True"}},
        {"bn1": {"eps": "0.5"}, "stage2_unit1_sc": {"fix_gamma": "1", "eps": "0.001"}},
        {"fc1": {"eps": "0.25"}},  # our last gamma is held at 1
        {"fc1": {"fix_gamma": "True", "eps": "1e-7"}, "stage1_unit1_bn2": {"eps": "1e-3"}},
    ):
        assert np.abs(same(write(tmp_path, symbol_of(SMALL), changes=changes), SMALL) - plain).max() > 1e-5


def test_the_embedding_of_a_training_checkpoint(tmp_path: Path) -> None:
    """Two outputs, a classifier of any name: what the embedding needs is taken, the rest is a head."""
    embedding = symbol_of(SMALL)
    logits = mx.sym.FullyConnected(embedding, num_hidden=4, no_bias=True, name="classes")
    both = mx.sym.Group([mx.sym.SoftmaxActivation(logits, name="softmax"), mx.sym.BlockGrad(logits)])
    name = write(tmp_path, both)
    arrays, note = weights_for(net_of(SMALL), resolve(name))
    assert note == ""
    assert set(arrays) == set(structural(net_of(SMALL)))


@pytest.mark.parametrize("wrong", [
    BackboneConfig(name="fresnet18", embedding=16, width=WIDTH),
    BackboneConfig(name="mobilefacenet", embedding=8, width=WIDTH),
    BackboneConfig(name="mobilefacenet", embedding=16, width=0.25),
])  # fmt: skip
def test_the_backbone_that_fits_is_named(tmp_path: Path, wrong: BackboneConfig) -> None:
    name = write(tmp_path, symbol_of(MOBILE))
    with pytest.raises(CheckpointError) as caught:
        weights_for(build_backbone(wrong, SIZE), resolve(name))
    text = str(caught.value)
    assert "model-0000.params" in text
    assert "\n" not in text
    keys = dict(word.split("=") for word in text.rpartition("the file fits ")[2].split())
    assert keys == {
        "backbone.name": "mobilefacenet", "backbone.embedding": "16", "backbone.width": "0.125",
        "backbone.se": "false", "data.image_size": "32",
    }  # fmt: skip


def test_options_of_the_backbone_that_fits(tmp_path: Path) -> None:
    config = BackboneConfig(name="fresnet34", embedding=8, width=WIDTH, se=True, output="GDC")
    net = build_backbone(config, SIZE)
    net.initialize()
    symbol, arrays = export(net)
    graph = Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()})
    write_deploy(graph, str(tmp_path / "model"))
    with pytest.raises(CheckpointError, match=r"name=fresnet34 .*se=true backbone.output=GDC data.image_size=32$"):
        weights_for(build_backbone(MOBILE, SIZE), resolve(f"{tmp_path}/model,0"))
    del arrays["arg:conv0.weight"]
    mx.nd.save(str(tmp_path / "model-0000.params"), arrays)
    with pytest.raises(CheckpointError, match=r"has no conv0\.weight") as caught:
        weights_for(build_backbone(config, SIZE), resolve(f"{tmp_path}/model,0"))
    assert "fits" not in str(caught.value)


@pytest.mark.parametrize("kind", ["beta", "moving_var"])
def test_a_parameter_that_feeds_two_operators_keeps_its_name(tmp_path: Path, kind: str) -> None:
    renamed = {f"stage1_unit1_bn2_{kind}": "shared", f"stage1_unit1_bn3_{kind}": "shared"}
    other = {"stage1_unit1_bn2": {"eps": "0.5"}}  # for which the variance is asked
    name = write(tmp_path, symbol_of(SMALL), renamed=renamed, changes=other)
    graph = json.loads(resolve(name).symbol.read_text())  # type: ignore[union-attr]
    first, second = (i for i, node in enumerate(graph["nodes"]) if node["name"] == "shared")
    for node in graph["nodes"]:
        node["inputs"] = [[first if i == second else i, *rest] for i, *rest in node["inputs"]]
    resolve(name).symbol.write_text(json.dumps(graph))  # type: ignore[union-attr]
    ours = kind.replace("moving", "running")
    with pytest.raises(CheckpointError, match=rf"has no stages\.0\.0\.bn2\.{ours}"):
        weights_for(net_of(SMALL), resolve(name))


def test_names_with_colons(tmp_path: Path) -> None:
    same(write(tmp_path, symbol_of(SMALL), renamed={"conv0_weight": "net:conv0_weight"}), SMALL)


def test_an_epsilon_that_differs_by_next_to_nothing_changes_no_array(tmp_path: Path) -> None:
    """Ours is 2e-5. A share of a ten-thousandth and less is rounding, more is another epsilon."""
    plain, _ = weights_for(net_of(SMALL), resolve(write(tmp_path, symbol_of(SMALL))))
    for epsilon, other in (("2.0001e-05", False), ("2.004e-05", True), ("1.996e-05", True)):
        changes = {"stage1_unit1_bn2": {"eps": epsilon}}
        arrays, _ = weights_for(net_of(SMALL), resolve(write(tmp_path, symbol_of(SMALL), changes=changes)))
        gamma = arrays["stages.0.0.bn2.gamma"]
        assert np.array_equal(gamma.asnumpy(), plain["stages.0.0.bn2.gamma"].asnumpy()) != other


def test_a_batch_norm_that_names_no_epsilon_has_mxnets(tmp_path: Path) -> None:
    """A thousandth, where fresnet's have 2e-5."""
    name = write(tmp_path, symbol_of(SMALL))
    graph = json.loads(resolve(name).symbol.read_text())  # type: ignore[union-attr]
    for node in graph["nodes"]:
        if node["name"] == "stage2_unit1_sc":
            del node["attrs"]["eps"]
            node["attrs"].pop("fix_gamma", None)  # held at 1 where nothing is said
    resolve(name).symbol.write_text(json.dumps(graph))  # type: ignore[union-attr]
    same(name, SMALL)
    arrays, _ = weights_for(net_of(SMALL), resolve(name))
    variance = arrays["stages.1.0.sc.running_var"].asnumpy().astype(np.float64)
    found = arrays["stages.1.0.sc.gamma"].asnumpy()
    np.testing.assert_allclose(found, np.sqrt((variance + 2e-5) / (variance + 1e-3)), rtol=1e-6)
