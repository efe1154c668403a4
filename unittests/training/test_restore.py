"""What a stopped run is taken back from, and what makes its bits differ."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fairface.checkpoints import CheckpointFiles
from fairface.config.schema import TrainConfig
from fairface.data.array import ArrayDataset
from fairface.data.encoded import EncodedDataset
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.errors import CheckpointError
from fairface.heads import build_head
from fairface.methods.classify import Classify
from fairface.mx import nd
from fairface.training import restore
from fairface.training.restore import changed_images, check_data, differences, newest_whole, saved_config
from unittests.methods.helpers import Flat


def source(count=10, batch=4, labels=None, codes=None, files=None):
    images = np.zeros((count, 6, 6, 3), np.uint8)
    labels = np.arange(count) % 5 if labels is None else labels
    data = ArrayDataset(images, labels, codes, ("sex",) if codes is not None else ())
    if files is not None:
        data = EncodedDataset(files, "files")
    return Source(data, batch, RandomSampler(len(data), batch, 0), name="photos")


def manifest(folder: Path, **facts) -> Path:
    folder.mkdir(exist_ok=True)
    entries = facts.pop("checkpoints", [])
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": entries, "sha256": {}, **facts}))
    return folder


@pytest.mark.parametrize(("changed", "refused"), [(0, False), (2, False), (3, True), (20, True)])
def test_a_tenth_of_the_images_may_have_been_replaced(tmp_path, changed, refused):
    before = [str(i) for i in range(20)]
    now = {"data_fingerprint": "f", "content": ["x"] * changed + before[changed:]}
    run = manifest(tmp_path / "run", data_fingerprint="f", content=before)
    assert changed_images({"content": before}, now) == list(range(changed))
    if refused:
        with pytest.raises(
            CheckpointError, match=r"run: the training data changed since the run began \(images differ\);"
        ):
            check_data(run, now)
    else:
        check_data(run, now)
    with pytest.raises(CheckpointError, match=r"\(labels or attributes differ\)"):
        check_data(run, {**now, "data_fingerprint": "g"})
    assert changed_images({}, now) == []  # of before there was a sample


def test_what_makes_the_bits_of_a_resumed_run_differ(tmp_path):
    facts = {"content": ["a", "b"], "threads": "2", "devices": ["cpu(0)"]}
    run = manifest(tmp_path / "run", **facts)
    assert differences(run, facts) == []
    assert differences(manifest(tmp_path / "old"), facts) == []
    assert differences(run, {"content": ["a", "c"], "threads": "1", "devices": ["gpu(0)"]}) == [
        "1 of 2 sampled images is not what it was when the run began",
        "OMP_NUM_THREADS was 2 and is now 1: the run goes on, but its end is not bit-identical",
        "the devices was ['cpu(0)'] and is now ['gpu(0)']: the run goes on, but its end is not bit-identical",
    ]


def test_configurations_of_older_runs(tmp_path):
    (tmp_path / "config.yaml").write_text("method: pair\npair: {alpha: 1}\nfinal: {sets: []}\nseed: 3\n")
    assert saved_config(tmp_path) == {"method": "triplet", "triplet": {"alpha": 1}, "test": {"sets": []}, "seed": 3}
    (tmp_path / "config.yaml").write_text("method: fused\n")
    assert saved_config(tmp_path) == {"method": "fused"}
    for text, said in (("- 1\n", "config.yaml: is damaged;"), ("a: [", "config.yaml: cannot be read (")):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(CheckpointError) as caught:
            saved_config(tmp_path)
        assert said in str(caught.value)
        assert str(caught.value).endswith("the run cannot be resumed")


def test_only_checkpoints_with_a_state_can_be_resumed(tmp_path):
    files = {"params": "model-0001.params", "symbol": "model-symbol.json"}
    said = "cannot be resumed (no checkpoint with the optimizer's state was kept); start_from="
    for entries in ([], [{"step": 1, "files": files}]):
        with pytest.raises(CheckpointError) as caught:
            newest_whole(manifest(tmp_path / "run", checkpoints=entries))
        assert f"run: {said}" in str(caught.value)
    entries = [{"step": step, "files": {**files, "state": "state-0001.params"}} for step in (1, 2)]
    with pytest.raises(CheckpointError) as caught:
        newest_whole(manifest(tmp_path / "run", checkpoints=entries))
    assert str(caught.value).count("model-0001.params") == 1  # the newest one's trouble


def test_blocks_of_a_checkpoint_come_back_under_their_names(tmp_path, monkeypatch):
    head = build_head(TrainConfig().head, 8, 5)
    method = Classify(Flat(), head, [source()])
    for block in method.blocks().values():
        block.initialize()
    wanted = nd.random.normal(shape=(5, 8))
    monkeypatch.setattr(restore, "load_inference", lambda net, files: "")
    monkeypatch.setattr(restore, "load_arrays", lambda path: {"head.weight": wanted, "header.weight": nd.ones((1,))})
    run = SimpleNamespace(method=method)
    for position, updates in (({"updates": 4}, 4), ({}, 9)):
        files = CheckpointFiles(
            name="run@9", step=9, params=Path("p"), symbol=Path("s"), blocks=Path("b"), state=Path("t"), manifest={},
            entry={"position": position},
        )  # fmt: skip
        assert restore.restore_blocks(run, files) == updates
        assert (head.weight.data().asnumpy() == wanted.asnumpy()).all()
