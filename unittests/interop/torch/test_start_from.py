"""Training that starts from a file of PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.interop.models import load_model
from fairface.interop.torch.models import FAMILIES
from fairface.mx import mx, nd
from fairface.parameters import structural
from fairface.training.run import train
from unittests.interop.torch.torch_writer import write_state
from unittests.training.helpers import SIZE, make_people, tiny_config


@pytest.mark.parametrize(("backbone", "family"), [("ir_18", FAMILIES[0]), ("fresnet18", FAMILIES[1])])
def test_the_head_is_trained_on_top(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backbone: str, family: object
) -> None:
    source = build_backbone(BackboneConfig(backbone, 8, 0.0, 0.125), SIZE)
    source.initialize()
    arrays = {f"model.{family.key(k)}": p.data().asnumpy() for k, p in structural(source).items() if family.key(k)}
    path = write_state(tmp_path / "x.ckpt", {**arrays, "head.kernel": np.ones((8, 3), np.float32)})
    options = ("backbone.width=0.125", f"start_from={path}", "stage=head", "steps=2", "verify.every=0")
    people = make_people(tmp_path / "people")
    config = tiny_config(tmp_path, people, f"backbone.name={backbone}", *options)
    assert train(config) == 0
    said = capsys.readouterr().err
    assert backbone in said
    assert "ignored: head.kernel" in said
    images = nd.array(np.random.default_rng(0).integers(0, 256, (2, 3, SIZE, SIZE)))
    before, after = (load_model(name, [mx.cpu()]) for name in (str(path), f"{tmp_path}/models/tiny@last"))
    np.testing.assert_allclose(after.net(images).asnumpy(), before.net(images).asnumpy(), rtol=0, atol=1e-6)
    with pytest.raises(CheckpointError, match=r"layer1\.2\.bn1|input_layer\.0"):
        train(tiny_config(tmp_path, people, "backbone.name=fresnet34", "name=other", *options))
