"""Checkpoints: what is kept, that nothing is half-written, and that a model comes back as it was."""

import json
import resource
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.errors import DataError
from fairface.interop.models import load_model
from fairface.mx import gluon, mx, nd, nn
from fairface.parameters import arrays_of
from fairface.training.run_folder import RunFolder


def make_net() -> nn.HybridSequential:
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, strides=2), nn.BatchNorm(), nn.Activation("relu"), nn.Dense(5))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(nd.zeros((1, 3, 112, 112)))
    return net


def save(folder: RunFolder, step: int, net: gluon.HybridBlock, head: gluon.HybridBlock, score: float | None) -> None:
    best = score is not None and (folder.best_score() is None or score > folder.best_score())  # type: ignore[operator]
    folder.save(step, net, {"head": arrays_of(head)}, {"optimizer.x.0": nd.ones((2,)) * step}, {"seed": 1}, score, best)


def make_head() -> nn.Dense:
    head = nn.Dense(7, in_units=5)
    head.initialize()
    return head


def test_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    folder, net, head = RunFolder(tmp_path, 2, {"image_size": 112}), make_net(), make_head()
    for step, score in ((1, 0.5), (2, 0.9), (3, 0.7), (4, None), (5, 0.8)):
        save(folder, step, net, head, score)
    kept = [entry["step"] for entry in json.loads((tmp_path / "manifest.json").read_text())["checkpoints"]]
    assert kept == [2, 4, 5]
    assert folder.best_score() == 0.9
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {
        "manifest.json",
        "model-symbol.json",
        "state-0004.params",
        "state-0005.params",
        *(f"{kind}-{step:04d}.params" for kind in ("model", "blocks") for step in kept),
    }
    assert resolve(str(tmp_path)).step == 2
    assert resolve(f"{tmp_path}@5").state == tmp_path / "state-0005.params"


def test_model_comes_back_and_is_deploy_layout(tmp_path: Path) -> None:
    net = make_net()
    make_net()  # MXNet's automatic names count on; ours must not
    save(RunFolder(tmp_path, 2, {"image_size": 112}), 3, net, make_head(), None)
    x = nd.random.uniform(0, 255, shape=(2, 3, 112, 112))
    for name in (str(tmp_path), f"{tmp_path}/model,3"):
        loaded = load_model(name, [mx.cpu()])
        assert (loaded.embedding, loaded.image_size) == (5, 112)
        expected = net(x).asnumpy()  # BatchNorm is folded when a model is loaded: equal up to rounding
        np.testing.assert_allclose(loaded.net(x).asnumpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    saved = gluon.SymbolBlock.imports(
        str(tmp_path / "model-symbol.json"), ["data"], str(tmp_path / "model-0003.params"), ctx=mx.cpu()
    )
    np.testing.assert_allclose(saved(x).asnumpy(), net(x).asnumpy(), rtol=1e-6, atol=1e-6)
    symbol, arguments, auxiliary = mx.model.load_checkpoint(str(tmp_path / "model"), 3)
    assert set(symbol.list_arguments()) == {"data", *arguments}
    assert set(auxiliary) == {"1.running_mean", "1.running_var"}


def test_a_write_that_fails_leaves_the_earlier_checkpoint(tmp_path: Path) -> None:
    folder, net, head = RunFolder(tmp_path, 2, {}), make_net(), make_head()
    save(folder, 1, net, head, 0.1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DataError, match="cannot be written"):
            save(folder, 2, net, head, 0.2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert resolve(str(tmp_path)).step == 1


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".part-abc").mkdir()
    (tmp_path / ".part-abc" / "model-0001.params").write_bytes(b"half")
    RunFolder(tmp_path, 1, {})
    assert list(tmp_path.iterdir()) == []


def test_a_graph_is_written_as_text_once_since_mxnet_loses_memory_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, tojson = [], mx.sym.Symbol.tojson

    def counted(symbol: mx.sym.Symbol) -> str:
        texts.append(tojson(symbol))
        return texts[-1]

    monkeypatch.setattr(mx.sym.Symbol, "tojson", counted)
    folder, head, nets = RunFolder(tmp_path, 2, {}), make_head(), [make_net(), make_net()]
    nets[1][2]._act_type = "tanh"
    for step, net in enumerate([nets[0], nets[0], nets[1], nets[1], nets[0]]):
        save(folder, step, net, head, None)
        written = json.loads((tmp_path / "model-symbol.json").read_text())
        kinds = [node["attrs"]["act_type"] for node in written["nodes"] if node["op"] == "Activation"]
        assert kinds == ["tanh" if net is nets[1] else "relu"]
    assert len(texts) == 3  # one for each change of nets, not for each of the five saves
