"""PyTorch's nets as nets of ours: the same embeddings, and errors that name the layer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig
from fairface.embedding.store import load_embeddings
from fairface.errors import CheckpointError
from fairface.interop.models import load_model
from fairface.interop.torch.file import read_torch
from fairface.interop.torch.models import FAMILIES, fill, read_weights, torch_net
from fairface.interop.torch.values import batch_norms
from fairface.mx import autograd, mx, nd
from fairface.parameters import structural
from fairface.programs import embed
from unittests.interop.torch.torch_writer import write_state

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "unittests" / "fixtures"
FILES = {
    "adaface_ir.ckpt": "adaface_ir",
    "adaface_ir_se.ckpt": "adaface_ir_se",
    "arcface_torch.pth": "arcface_torch",
    "arcface_torch_legacy.pth": "arcface_torch",
}


def written(tmp_path: Path, name: str, **changes: np.ndarray | None) -> Path:
    """The fixture ``name`` with other values for some parameters (``None`` takes one away), as a plain state dict."""
    arrays = dict(read_torch(FIXTURES / name))
    for key, value in changes.items():
        if value is None:
            del arrays[key]
        else:
            arrays[key] = value
    return write_state(tmp_path / "changed.pth", arrays)


def said(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_model(str(path), [mx.cpu()])
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def random_net(config: BackboneConfig, size: int = 32) -> object:
    """A net of ours whose statistics and slopes are not what they start from."""
    net = build_backbone(config, size)
    net.initialize()
    rng = np.random.default_rng(1)
    net(nd.zeros((1, 3, size, size)))
    for name, parameter in structural(net).items():
        if name.endswith("running_var"):
            parameter.set_data(nd.array(rng.uniform(0.5, 2, parameter.shape)))
        elif not name.endswith(("weight", "output.fc1.gamma", "output_layer.4.gamma", "output_layer.4.beta")):
            parameter.set_data(nd.array(rng.uniform(0.1, 1, parameter.shape)))
    return net


@pytest.mark.parametrize("name", FILES)
def test_same_embeddings_as_pytorch(name: str) -> None:
    expected = np.load(FIXTURES / f"{FILES[name]}.npz")
    model = load_model(str(FIXTURES / name), [mx.cpu()])
    found = model.net(nd.array(expected["images"])).asnumpy()
    assert (model.image_size, model.embedding) == (32, expected["embeddings"].shape[1])
    np.testing.assert_allclose(found, expected["embeddings"], rtol=0, atol=1e-5)
    assert np.abs(expected["embeddings"]).max() > 0.5


@pytest.mark.parametrize("name", ["adaface_ir.ckpt", "arcface_torch.pth"])
def test_colour_order_scale_and_epsilon_matter(name: str) -> None:
    """Each of the three adaptations moves the embedding by far more than the tolerance above."""
    expected = np.load(FIXTURES / f"{FILES[name]}.npz")
    net = torch_net(FIXTURES / name)
    images = nd.array(expected["images"])
    right = net(images).asnumpy()
    assert np.abs(net(images[:, ::-1]).asnumpy() - right).max() > 1e-2
    assert np.abs(net((images - 127.5) * (127.5 / 128) + 127.5).asnumpy() - right).max() > 1e-3
    for _, norm in batch_norms(net):
        norm._kwargs["eps"] *= 2
    assert np.abs(net(images).asnumpy() - right).max() > 1e-2


def test_training_starts_from_the_same_function() -> None:
    """With the batch's statistics the folded epsilon is off only where a variance comes near epsilon."""
    weights = read_weights(FIXTURES / "arcface_torch.pth")
    net = torch_net(FIXTURES / "arcface_torch.pth")
    images = nd.array(np.load(FIXTURES / "arcface_torch.npz")["images"])
    with autograd.train_mode():
        ours = net.bn0(net.conv0(net.normalise(images))).asnumpy()
    state = weights.state
    x = (images.asnumpy().astype(np.float64) - 127.5) / 127.5
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    y = np.einsum("bchwij,ocij->bohw", windows, state["conv1.weight"].astype(np.float64))
    mean, var = y.mean((0, 2, 3)), y.var((0, 2, 3))
    gamma, beta = state["bn1.weight"], state["bn1.bias"]
    shape = (1, -1, 1, 1)
    theirs = (y - mean.reshape(shape)) / np.sqrt(var + 1e-5).reshape(shape) * gamma.reshape(shape) + beta.reshape(shape)
    ordinary = state["bn1.running_var"] > 1e-3
    assert ordinary.any()
    np.testing.assert_allclose(ours[:, ordinary], theirs[:, ordinary], rtol=0, atol=2e-4)


@pytest.mark.parametrize(
    ("config", "family"),
    [
        (BackboneConfig("ir_18", 8, 0.0, 0.125), FAMILIES[0]),
        (BackboneConfig("ir_se_18", 8, 0.0, 0.125), FAMILIES[0]),
        (BackboneConfig("fresnet18", 8, 0.0, 0.125), FAMILIES[1]),
        pytest.param(BackboneConfig("ir_152", 8, 0.0, 1 / 32), FAMILIES[0], marks=pytest.mark.slow),
        pytest.param(BackboneConfig("fresnet50", 8, 0.0, 0.125), FAMILIES[1], marks=pytest.mark.slow),
        pytest.param(BackboneConfig("fresnet200", 8, 0.0, 0.125), FAMILIES[1], marks=pytest.mark.slow),
    ],
    ids=lambda value: value.name if isinstance(value, BackboneConfig) else "",
)
def test_architecture_is_found_from_the_shapes(tmp_path: Path, config: BackboneConfig, family: object) -> None:
    net = random_net(config)
    arrays = {family.key(name): p.data().asnumpy() for name, p in structural(net).items() if family.key(name)}
    path = write_state(tmp_path / "x.pth", arrays)
    found = torch_net(path)
    assert type(found) is type(net)
    assert {k: p.shape for k, p in structural(found).items()} == {k: p.shape for k, p in structural(net).items()}
    assert config.name in read_weights(path).name
    fill(net, read_weights(path))
    images = nd.array(np.random.default_rng(0).integers(0, 256, (1, 3, 32, 32)))
    np.testing.assert_array_equal(found(images).asnumpy(), net(images).asnumpy())


def test_prefixes_and_what_is_left_out(tmp_path: Path) -> None:
    plain = dict(read_torch(FIXTURES / "arcface_torch.pth"))
    for prefix in ("module.", "backbone.", "model."):
        arrays = {f"{prefix}{key}": value for key, value in plain.items()}
        weights = read_weights(write_state(tmp_path / "x.pth", {**arrays, "head.weight": np.ones(3, np.float32)}))
        assert set(weights.state) == set(plain)
        assert weights.others == ("head.weight",)
        assert "ignored: head.weight" in str(weights)


@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("arcface_torch.pth", {"layer2.1.conv1.weight": None}, "layer2.1.conv1.weight"),
        ("arcface_torch.pth", {"layer2.1.bn1.weight": np.ones(7, np.float32)}, "layer2.1.bn1.weight is (7,)"),
        ("arcface_torch.pth", {"layer2.2.bn1.weight": np.ones(8, np.float32)}, "layer2.2.bn1.bias"),
        ("arcface_torch.pth", {"layer2.4.bn1.weight": np.ones(8, np.float32)}, "layer2.0, layer2.1"),
        ("arcface_torch.pth", {"layer1.0.se.fc.weight": np.ones(8, np.float32)}, "layer1.0.se.fc.weight"),
        ("arcface_torch.pth", {"fc.weight": np.ones((10, 47), np.float32)}, "not a square map"),
        ("arcface_torch.pth", {"fc.weight": np.ones((10, 0), np.float32)}, "fc.weight is (10, 0)"),
        ("arcface_torch.pth", {"conv1.weight": np.ones(3, np.float32)}, "conv1.weight is (3,)"),
        ("arcface_torch.pth", {"bn2.running_var": np.full(12, -1, np.float32)}, "bn2.running_var holds invalid values"),
        ("arcface_torch.pth", {"bn2.bias": np.full(12, np.nan, np.float32)}, "bn2.bias holds invalid values"),
        ("adaface_ir_se.ckpt", {"model.body.2.res_layer.1.weight": None}, "body.2.res_layer.1.weight"),
        ("adaface_ir_se.ckpt", {"model.body.3.res_layer.7.weight": None}, "body.3.res_layer.7.weight"),
        ("adaface_ir_se.ckpt", {"model.output_layer.4.weight": np.ones(12, np.float32)}, "output_layer.4.weight"),
        ("adaface_ir_se.ckpt", {"model.body.0.shortcut_layer.0.weight": np.ones((8, 8, 1, 1), np.float32)},
         "body.0.shortcut_layer.0.weight"),
        ("adaface_ir_se.ckpt", {"model.input_layer.0.weight": np.ones((16, 3, 3, 3), np.float32)},
         "input_layer.0.weight is (16, 3, 3, 3)"),
    ],
)  # fmt: skip
def test_another_architecture_names_the_first_layer_that_differs(
    tmp_path: Path, name: str, changes: dict[str, np.ndarray | None], named: str
) -> None:
    assert named in said(written(tmp_path, name, **changes))


def test_a_net_that_is_not_known(tmp_path: Path) -> None:
    path = write_state(tmp_path / "x.pth", {"stem.weight": np.ones(3, np.float32)})
    text = said(path)
    assert "stem.weight" in text
    assert "AdaFace" in text


@pytest.mark.parametrize(
    ("name", "config", "named"),
    [
        ("adaface_ir.ckpt", BackboneConfig("fresnet_tiny", 8, 0, 0.25), "input_layer.0.weight"),
        ("arcface_torch.pth", BackboneConfig("ir_18", 10, 0, 0.125), "conv1.weight"),
        ("arcface_torch.pth", BackboneConfig("mobilefacenet", 10, 0, 0.125), "conv1.weight"),
        ("arcface_torch.pth", BackboneConfig("fresnet18", 10, 0, 0.125), "conv1.weight is (4, 3, 3, 3)"),
        ("adaface_ir.ckpt", BackboneConfig("ir_18", 8, 0, 0.125), "body.1.res_layer.1.weight is (16, 8, 3, 3)"),
        ("adaface_ir.ckpt", BackboneConfig("ir_se_18", 8, 0, 0.125), "body.0.res_layer.se_block.fc1.weight"),
    ],
)
def test_start_from_another_net_names_the_first_layer_that_differs(
    name: str, config: BackboneConfig, named: str
) -> None:
    net = build_backbone(config, 32)
    net.initialize()
    with pytest.raises(CheckpointError) as caught:
        fill(net, read_weights(FIXTURES / name))
    text = str(caught.value)
    assert named in text
    assert name in text
    assert "IR net of 1+1+1+1 units" in text or "iresnet of 1+2+1+1 units" in text


def test_another_embedding_size_is_named(tmp_path: Path) -> None:
    config = BackboneConfig("fresnet18", 8, 0.0, 0.125)
    net, family = random_net(config), FAMILIES[1]
    path = write_state(
        tmp_path / "x.pth", {family.key(name): p.data().asnumpy() for name, p in structural(net).items()}
    )
    other = build_backbone(BackboneConfig("fresnet18", 16, 0.0, 0.125), 32)
    other.initialize()
    before = {name: p.data().asnumpy() for name, p in structural(other).items()}
    with pytest.raises(CheckpointError, match=r"fc\.weight is \(8, 256\), this network needs \(16, 256\)"):
        fill(other, read_weights(path))
    for name, p in structural(other).items():
        np.testing.assert_array_equal(p.data().asnumpy(), before[name])


def test_names_of_files(tmp_path: Path) -> None:
    copy = tmp_path / "epoch=1,step=2.CKPT"
    shutil.copy(FIXTURES / "adaface_ir.ckpt", copy)
    files = resolve(str(copy))
    assert (files.symbol, files.params, files.step) == (None, copy, 0)
    with pytest.raises(CheckpointError, match="no such file"):
        resolve(str(tmp_path / "none.pth"))


def test_embed_program_takes_a_checkpoint_without_further_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for person in ("a", "b"):
        (tmp_path / "people" / person).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "people" / person / "1.png"), rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
    arguments = [FIXTURES / "adaface_ir.ckpt", "--data", tmp_path / "people", "--json", "--no-flip",
                 "--devices", "cpu0", "--output", tmp_path / "e.npz"]  # fmt: skip
    embed.main([*map(str, arguments)])
    assert json.loads(capsys.readouterr().out)["embedding"] == 8
    model = load_model(str(FIXTURES / "adaface_ir.ckpt"), [mx.cpu()])
    image = cv2.cvtColor(cv2.imread(str(tmp_path / "people" / "a" / "1.png")), cv2.COLOR_BGR2RGB)
    expected = model.net(nd.array(image.transpose(2, 0, 1)[None])).asnumpy()
    np.testing.assert_allclose(load_embeddings(tmp_path / "e.npz").embeddings[:1], expected, rtol=0, atol=1e-5)
