"""What a run starts from: checked before anything is removed, and nothing is asked for that is not needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone, build_lpd
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig, LPDConfig
from fairface.errors import CheckpointError
from fairface.graph.export import export, write_deploy
from fairface.graph.saved import Graph
from fairface.interop.insightface import to_insightface
from fairface.interop.models import load_model
from fairface.interop.weights import weights_for
from fairface.mx import mx, nd
from fairface.parameters import set_values
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    """A run of one step, ``tiny``."""
    folder = tmp_path_factory.mktemp("start")
    assert train(tiny_config(folder, people, "steps=1", "verify.every=0"), quiet=True) == 0
    return folder / "models"


def write_theirs(folder: Path, scale: str) -> str:
    """fresnet_tiny as insightface would have written it, where pixels less 127.5 are multiplied by ``scale``."""
    net = build_backbone(BackboneConfig(name="fresnet_tiny", embedding=8, width=0.25), 32)
    net.initialize()
    symbol, arrays = export(net)
    graph = to_insightface(Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()}))
    written, _ = write_deploy(graph, str(folder / "theirs"))
    nodes = json.loads(written.read_text())
    scaling = next(node for node in nodes["nodes"] if node["op"] == "_mul_scalar")
    scaling["attrs"]["scalar"] = scale
    written.write_text(json.dumps({**nodes, "attrs": {"mxnet_version": ["int", 10000]}}))
    return f"{folder}/theirs,0"


@pytest.mark.parametrize("start", ["adaface_ir.ckpt", "arcface_torch.pth", "other", "damaged", "pointer"])
def test_what_does_not_fit_costs_no_run(tmp_path: Path, people: Path, models: Path, start: str) -> None:
    before = {path.name: path.read_bytes() for path in (models / "tiny").iterdir() if path.is_file()}
    name = str(FIXTURES / start)
    if start in ("other", "damaged", "pointer"):
        source = resolve(str(models / "tiny"))
        (tmp_path / "x-symbol.json").write_bytes(source.symbol.read_bytes())  # type: ignore[union-attr]
        content = {"other": source.params.read_bytes(), "damaged": source.params.read_bytes()[:-9]}
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"
        (tmp_path / "x-0000.params").write_bytes(content.get(start, pointer))
        name = f"{tmp_path}/x,0"
    wide = ["backbone.width=0.5"] if start == "other" else []
    config = tiny_config(models.parent, people, "steps=1", f"start_from={name}", *wide)
    with pytest.raises(CheckpointError) as caught:
        train(config, overwrite=True, quiet=True)
    text = str(caught.value)
    assert "\n" not in text
    assert Path(name.removesuffix(",0")).name in text
    if start == "other":
        assert "backbone.name=fresnet_tiny backbone.embedding=8 backbone.width=0.25" in text
    if start == "pointer":
        assert "git lfs pull" in text
    assert {path.name: path.read_bytes() for path in (models / "tiny").iterdir() if path.is_file()} == before


def test_the_state_is_needed_to_resume_only(tmp_path: Path, people: Path, models: Path) -> None:
    run = shutil.copytree(models / "tiny", tmp_path / "models" / "tiny")
    state = resolve(str(run), with_state=True).state
    assert state is not None
    for content in (b"nothing", None):
        state.unlink()
        if content is not None:
            state.write_bytes(content)
        assert load_model(str(run), [mx.cpu()]).embedding == 8
        with pytest.raises(CheckpointError, match=state.name):
            resolve(str(run), with_state=True)
    with pytest.raises(CheckpointError, match=state.name):
        train(tiny_config(tmp_path, people, "steps=1", "verify.every=0"), resume=True, quiet=True)
    again = tiny_config(tmp_path, people, "name=new", "steps=1", "verify.every=0", f"start_from={run}")
    assert train(again, quiet=True) == 0


@pytest.mark.parametrize("scale", ["0.0078125", "1.0"])
def test_another_systems_net_that_computes_something_else_is_told(
    tmp_path: Path, people: Path, capfd: pytest.CaptureFixture[str], scale: str
) -> None:
    name = write_theirs(tmp_path, scale)
    ours = scale == "0.0078125"
    config = tiny_config(tmp_path, people, f"start_from={name}", "steps=1", "verify.every=0", "stage=head")
    capfd.readouterr()
    assert train(config) == 0
    printed = capfd.readouterr()
    assert ("warning: with the parameters of" in printed.err) == (not ours)
    assert "legacy_json" not in printed.err + printed.out
    images = nd.array(np.random.default_rng(0).uniform(0, 255, (2, 3, 32, 32)))
    a, b = (load_model(str(model), [mx.cpu()]).net(images).asnumpy() for model in (name, tmp_path / "models" / "tiny"))
    assert bool(np.abs(a - b).max() < 1e-5 * np.abs(a).max()) == ours


def test_lpd_starts_from_the_net_that_its_streams_share(
    tmp_path: Path, people: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    net = build_backbone(BackboneConfig(name="mobilefacenet", embedding=8, width=0.25), 32)
    net.initialize()
    symbol, arrays = export(net)
    graph = Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()})
    write_deploy(graph, str(tmp_path / "mobile"))
    lpd = ["method=lpd", "lpd.nose_height=constant", "backbone.name=lpd_mobilefacenet", "backbone.embedding=16"]
    words = [*lpd, f"start_from={tmp_path}/mobile,0", "steps=1", "verify.every=0", "stage=head"]
    assert train(tiny_config(tmp_path, people, *words)) == 0
    printed = capfd.readouterr()
    assert "the net that both streams share" in printed.err + printed.out
    assert "differ from those" not in printed.err + printed.out
    assert "localiser.fc1.weight" in (tmp_path / "models" / "tiny" / "model-symbol.json").read_text()
    made = build_lpd(BackboneConfig(name="lpd_mobilefacenet", embedding=16, width=0.25), 32, LPDConfig())
    made.initialize()
    set_values(made, weights_for(made, resolve(str(tmp_path / "models" / "tiny")))[0], "run")
    x = nd.array(np.random.default_rng(0).uniform(0, 255, (2, 3, 32, 32)))
    np.testing.assert_allclose(made.trunk(made.normalise(x)).asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)
    again = [*lpd, "name=again", f"start_from={tmp_path}/models/tiny", "steps=1", "verify.every=0"]
    assert train(tiny_config(tmp_path, people, *again)) == 0
    printed = capfd.readouterr()
    assert "re-initialised" not in printed.err + printed.out
    with pytest.raises(CheckpointError, match="LPDNet"):
        train(tiny_config(tmp_path, people, *lpd, "name=other", f"start_from={FIXTURES}/adaface_ir.ckpt"), quiet=True)
