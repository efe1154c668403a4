"""Checkpoint names, manifests and what is refused."""

import json
import math
from pathlib import Path

import pytest

from fairface.checkpoints import checkpoint_label, read_manifest, resolve
from fairface.errors import CheckpointError
from fairface.files import sha256


def make_run(folder: Path, steps: tuple[int, ...] = (5, 10), best: int | None = 5) -> Path:
    folder.mkdir(parents=True)
    (folder / "model-symbol.json").write_text("{}")
    names = {"model-symbol.json"}
    entries = []
    for step in steps:
        (folder / f"model-{step:04d}.params").write_bytes(bytes([step]))
        names.add(f"model-{step:04d}.params")
        entries.append({"step": step, "files": {"symbol": "model-symbol.json", "params": f"model-{step:04d}.params"}})
    manifest = {"checkpoints": entries, "best": best, "sha256": {n: sha256(folder / n) for n in names}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_run_by_name_by_path_and_by_step(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "models" / "demo")
    output = str(tmp_path / "models")
    assert resolve("demo", output).step == 5
    assert resolve(str(folder)).step == 5
    assert resolve("demo@10", output).params == folder / "model-0010.params"
    assert resolve("demo@last", output).step == 10
    assert resolve("demo@best", output).step == 5
    assert resolve("demo@10", output).blocks is None


def test_the_label_tells_the_step_and_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "models" / "demo", steps=(5, 7, 10))
    output = str(tmp_path / "models")
    for name, label in {
        "demo": "demo@5 (best)", "demo@best": "demo@5 (best)", "demo@last": "demo@10 (last)", "demo@7": "demo@7",
        f"{tmp_path}/models/demo@10": "demo@10 (last)",
    }.items():  # fmt: skip
        assert checkpoint_label(name, output) == label
    make_run(tmp_path / "models" / "one", steps=(5,))
    make_run(tmp_path / "models" / "unscored", best=None)
    assert checkpoint_label("one", output) == "one@5 (best and last)"
    assert checkpoint_label("unscored", output) == "unscored@10 (last)"
    monkeypatch.chdir(tmp_path / "models" / "demo")
    assert checkpoint_label(".") == "demo@5 (best)"
    for other in ("dlib", "net.onnx", "weights.pth", "models/r100/model,0", "a@b/c"):
        assert checkpoint_label(other, output) == other
    with pytest.raises(CheckpointError, match="kept steps: 5, 7, 10"):
        checkpoint_label("demo@6", output)


def test_an_at_in_a_folder_name_is_no_step(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "me@host" / "demo")
    assert resolve(str(folder)).step == 5
    assert resolve(f"{folder}@10").step == 10


def test_without_a_best_one_the_last_is_meant(tmp_path: Path) -> None:
    assert resolve(str(make_run(tmp_path / "run", best=None))).step == 10


def test_prefix_and_epoch(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    files = resolve(f"{folder}/model,5")
    assert (files.step, files.params.name, files.manifest) == (5, "model-0005.params", {})
    with pytest.raises(CheckpointError, match=r"model-0007\.params"):
        resolve(f"{folder}/model,7")
    with pytest.raises(CheckpointError, match="whole number"):
        resolve(f"{folder}/model,x")


@pytest.mark.parametrize(("name", "said"), [("nothing", "is not a run"), ("{run}@7", "not kept; kept steps: 5, 10")])
def test_what_is_not_there(tmp_path: Path, name: str, said: str) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(CheckpointError, match=said):
        resolve(name.format(run=run))


def test_changed_file_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "model-0005.params").write_bytes(b"other")
    with pytest.raises(CheckpointError, match="changed since it was written"):
        resolve(str(run))
    assert resolve(f"{run}@10").step == 10


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"checkpoints": 3}', '{"checkpoints": [{}], "sha256": {}}'])
def test_damaged_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(CheckpointError, match="damaged"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("image_size", 10**9), ("image_size", 0), ("image_size", "x"), ("best", math.inf)]
)
def test_a_manifest_that_claims_what_cannot_be(tmp_path: Path, key: str, value: object) -> None:
    run = make_run(tmp_path / "run")
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(CheckpointError, match=r"manifest\.json: is damaged"):
        read_manifest(run)


@pytest.mark.parametrize("name", ["../../secret.params", "/etc/passwd", "..", ".", "a/b", "a\0b", ""])
def test_manifest_cannot_point_elsewhere(tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path / "run")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["checkpoints"][0]["files"]["params"] = name
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="is not a plain file name"):
        resolve(str(run))


def test_empty_run(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"checkpoints": [], "best": null, "sha256": {}}')
    with pytest.raises(CheckpointError, match="has not saved a checkpoint yet"):
        resolve(str(tmp_path))


def test_a_missing_epoch_lists_those_that_are_there(tmp_path: Path) -> None:
    for name in ("model-symbol.json", "model-0003.params", "model-12000.params", "model-x.params", "other-0001.params"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no .*model-0000\.params; existing epochs: 3, 12000$"):
        resolve(f"{tmp_path}/model,0")
    (tmp_path / "lone-symbol.json").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no .*lone-0001\.params; there is no other epoch"):
        resolve(f"{tmp_path}/lone,1")
    with pytest.raises(CheckpointError, match=r"no .*modle-symbol\.json; models in that folder: lone, model$"):
        resolve(f"{tmp_path}/modle,3")
    with pytest.raises(CheckpointError, match=r"no .*model-symbol\.json$"):
        resolve(f"{tmp_path}/nowhere/model,3")


def test_the_state_file_is_checked_only_where_it_is_needed(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["checkpoints"]:
        entry["files"]["state"] = f"state-{entry['step']:04d}.params"
    (folder / "state-0005.params").write_bytes(b"whole")
    manifest["sha256"]["state-0005.params"] = sha256(folder / "state-0005.params")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert resolve(f"{folder}@5", with_state=True).state == folder / "state-0005.params"
    (folder / "state-0005.params").write_bytes(b"damaged")
    for step, said in ((5, "changed since"), (10, "cannot be read")):
        assert resolve(f"{folder}@{step}").step == step
        with pytest.raises(CheckpointError, match=rf"state-{step:04d}\.params: {said}"):
            resolve(f"{folder}@{step}", with_state=True)


@pytest.mark.parametrize("sums", ["[]", "null", '"x"'])
def test_a_manifest_whose_sums_are_no_table_is_damaged(tmp_path: Path, sums: str) -> None:
    (tmp_path / "manifest.json").write_text(f'{{"checkpoints": [], "best": null, "sha256": {sums}}}')
    with pytest.raises(CheckpointError, match=r"manifest\.json: is damaged \(sha256\)"):
        read_manifest(tmp_path)


def test_a_misspelt_run_is_answered_with_the_nearest(tmp_path: Path) -> None:
    make_run(tmp_path / "models" / "orl_demo")
    make_run(tmp_path / "models" / "my_photos")
    (tmp_path / "models" / "orl_dmo_notes").mkdir()  # no run
    with pytest.raises(CheckpointError, match=r"^orl_dmo: is not a run .*; did you mean orl_demo\? name a run"):
        resolve("orl_dmo", str(tmp_path / "models"))
    with pytest.raises(CheckpointError) as caught:
        resolve("zzz", str(tmp_path / "models"))
    assert "did you mean" not in str(caught.value)
