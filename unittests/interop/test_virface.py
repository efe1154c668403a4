"""Snapshots of VirFace's program: the same embeddings, and stages that go on from their blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.interop.models import load_model
from fairface.interop.torch.models import read_blocks, read_weights
from fairface.mx import autograd, mx, nd
from fairface.parameters import load_arrays, structural
from fairface.training.run import train
from unittests.interop.torch.torch_writer import tensor, write_zip
from unittests.training.helpers import make_people, tiny_config

SIZE, EMBEDDING = 32, 8


def random_net(name: str) -> object:
    net = build_backbone(BackboneConfig(name=name, embedding=EMBEDDING, width=0.125), SIZE)
    net.initialize()
    rng = np.random.default_rng(2)
    with autograd.pause():
        net(nd.zeros((1, 3, SIZE, SIZE)))
    for key, parameter in structural(net).items():
        if not key.endswith("weight"):
            low = 0.5 if key.endswith(("running_var", "gamma")) else -0.3
            parameter.set_data(nd.array(rng.uniform(low, low + 0.9, parameter.shape)))
    return net


def snapshot(path: Path, net: object, classes: int, prefix: str = "", generator: bool = True) -> Path:
    """The published form: epoch, and a state dict of each model, of DataParallel with ``prefix``."""
    rng = np.random.default_rng(3)
    names = {"gamma": "weight", "beta": "bias"}
    backbone = {}
    for key, parameter in structural(net).items():
        layer, _, kind = key.rpartition(".")
        backbone[f"{layer}.{names.get(kind, kind)}"] = parameter.data().asnumpy()
    models = {"backbone": backbone, "head": {"weight": rng.normal(size=(classes, EMBEDDING)).astype(np.float32)}}
    if generator:
        shapes = {"en1": (6, EMBEDDING), "en_mean": (3, 6), "en_var": (3, 6), "de1": (6, 3), "de2": (EMBEDDING, 6)}
        models["generator"] = {
            f"{layer}.{kind}": rng.normal(0, 0.1, shape if kind == "weight" else shape[:1]).astype(np.float32)
            for layer, shape in shapes.items() for kind in ("weight", "bias")
        }  # fmt: skip
    storages: dict[str, bytes] = {}
    value: dict[str, object] = {"epoch": 3}
    for model, arrays in models.items():
        value[model] = {}
        for name, array in arrays.items():
            key = str(len(storages))
            storages[key] = np.ascontiguousarray(array).tobytes()
            value[model][prefix + name] = tensor(np.ascontiguousarray(array), key)  # type: ignore[index]
    return write_zip(path, value, storages)


@pytest.mark.parametrize(("name", "prefix"), [("resnet18", ""), ("resnet50", "module."), ("resnet34", "")])
def test_the_net_of_a_snapshot(tmp_path: Path, name: str, prefix: str) -> None:
    net = random_net(name)
    path = snapshot(tmp_path / "_epoch_3.pytorch", net, classes=4, prefix=prefix)
    images = nd.array(np.random.default_rng(0).integers(0, 256, (3, 3, SIZE, SIZE)))
    model = load_model(str(path), [mx.cpu()])
    assert (model.image_size, model.embedding) == (SIZE, EMBEDDING)
    expected = net(images).asnumpy()
    np.testing.assert_allclose(model.net(images).asnumpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    weights = read_weights(path)
    assert str(weights) == f"{path}: VirFace's {name}, width 0.125, embedding {EMBEDDING}"
    blocks = read_blocks(path)
    assert blocks["head"]["weight"].shape == (4, EMBEDDING)
    assert sorted(blocks["generator"])[:2] == ["de1.bias", "de1.weight"]


def test_a_stage_goes_on_from_a_snapshot(tmp_path: Path) -> None:
    people = make_people(tmp_path / "people", images=3)
    net = random_net("resnet18")
    words = ("method=virface", "steps=1", "batch_size=4", "backbone.name=resnet18", "backbone.width=0.125",
             "backbone.dropout=-1", "virface.latent=3", "virface.hidden=6", "verify.every=0",
             "verify.sets=", "virface.l2_weight=1")  # fmt: skip
    path = snapshot(tmp_path / "whole.pytorch", net, classes=4)
    assert train(tiny_config(tmp_path, people, *words, "stage=generator", f"start_from={path}"), quiet=True) == 0
    saved = load_arrays(str(resolve(f"{tmp_path}/models/tiny@last").blocks))
    np.testing.assert_array_equal(saved["head.weight"].asnumpy(), read_blocks(path)["head"]["weight"].asnumpy())
    of_file = read_blocks(path)["generator"]["de2.weight"].asnumpy()
    assert 0 < np.abs(saved["generator.de2.weight"].asnumpy() - of_file).max() < 0.05  # taken over, then trained
    others = make_people(tmp_path / "others", people=5, images=2)
    with pytest.raises(CheckpointError, match="its head has 4 identities, the data have 5"):
        train(tiny_config(tmp_path, others, *words, "stage=generator", f"start_from={path}", "name=b"), quiet=True)
    bare = snapshot(tmp_path / "bare.pytorch", net, classes=4, generator=False)
    assert set(read_blocks(bare)) == {"head"}
