"""Runs whose folder was damaged, filled by others or left half-written by a killed process."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fairface.checkpoints import resolve
from fairface.config.schema import TrainConfig
from fairface.errors import CheckpointError
from fairface.training.preflight import remove_run
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

PLAIN = ("steps=4", "save_every=2", "verify.every=2", "log.every=1")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    home = tmp_path_factory.mktemp("whole")
    assert train(tiny_config(home, people, *PLAIN), quiet=True) == 0
    return home / "models" / "tiny"


@pytest.fixture
def run(tmp_path: Path, whole: Path) -> Path:
    shutil.copytree(whole, tmp_path / "models" / "tiny")
    return tmp_path / "models" / "tiny"


def damages(manifest: dict[str, Any], values: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of a manifest and of its newest checkpoint gone, or of another kind."""
    for place in ((), ("checkpoints", -1), ("checkpoints", -1, "files"), ("checkpoints", -1, "position")):
        found: Any = manifest
        for key in place:
            found = found[key]
        for key in found:
            for value in values:
                damaged = copy.deepcopy(manifest)
                inner: Any = damaged
                for step in place:
                    inner = inner[step]
                if value == "gone":
                    del inner[key]
                else:
                    inner[key] = value
                yield f"{'.'.join(map(str, (*place, key)))} = {value!r}", damaged


def refusal(config: TrainConfig, what: str) -> str:
    """Why the run cannot be resumed; empty where it was."""
    try:
        assert train(config, resume=True, quiet=True) == 0
    except CheckpointError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(what) from error
    return ""


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(("gone",), id="gone"),
        pytest.param((None, 7, "x", [], {}), id="of another kind", marks=pytest.mark.slow),
    ],
)
def test_every_key_of_the_manifest_may_be_gone_or_wrong(
    whole: Path, run: Path, people: Path, tmp_path: Path, values: Sequence[Any]
) -> None:
    config = tiny_config(tmp_path, people, *PLAIN)
    manifest = json.loads((run / "manifest.json").read_text())
    refused = 0
    for what, damaged in damages(manifest, values):
        shutil.copytree(whole, run, dirs_exist_ok=True)
        (run / "manifest.json").write_text(json.dumps(damaged))
        before = {path.name: path.stat().st_size for path in run.iterdir()}
        said = refusal(config, what)
        if said:
            refused += 1
            assert "\n" not in said, what
            assert str(run) in said, what
            assert {path.name: path.stat().st_size for path in run.iterdir()} == before, what
    assert refused > 5


def test_a_damaged_log_never_blocks(
    run: Path, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = run / "log.jsonl"
    lines = log.read_text().splitlines()
    junk = ["", "{", "[]", "7", "null", '{"step": null}', '{"step": 1e999}', "\0" * 40, '{"event": "train"}']
    log.write_bytes("\n".join([lines[0], *junk, *lines[1:]]).encode() + b"\xff\xfe\x00")
    assert train(tiny_config(tmp_path, people, *PLAIN), resume=True) == 0
    kept = log.read_text().splitlines()
    assert kept[0] == lines[0]
    assert all(isinstance(json.loads(line)["step"], int) for line in kept)
    assert f"warning: {log}: {len(junk) + 1} damaged lines were dropped" in capsys.readouterr().err


def test_what_a_killed_process_left_is_cleared(run: Path, people: Path, tmp_path: Path) -> None:
    (run / ".part-x").mkdir()
    (run / ".part-x" / "model-0009.params").write_bytes(b"half")
    for name in (".manifest.json.abc.part", "state-0001.params", "model-0009.params", "notes.txt", "photo.png"):
        (run / name).write_bytes(b"x")
    assert train(tiny_config(tmp_path, people, *PLAIN), resume=True, quiet=True) == 0
    named = set(json.loads((run / "manifest.json").read_text())["sha256"])
    left = {path.name for path in run.iterdir()} - named
    logs = {"log.jsonl", "train.log"}
    assert left == logs | {".lock", "manifest.json", "config.yaml", "classes.json", "notes.txt", "photo.png"}


@pytest.mark.parametrize("name", ["model-0000.params", "blocks-0001.params", "model-symbol.json"])
def test_a_users_own_checkpoint_is_not_touched(tmp_path: Path, people: Path, name: str) -> None:
    """Training beside it would take it for a run's leftover sooner or later."""
    own = tmp_path / "models" / "tiny" / name
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    config = tiny_config(tmp_path, people, *PLAIN)
    for options in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(CheckpointError, match="models/tiny: "):
            train(config, quiet=True, **options)
        assert own.read_bytes() == b"mine"
    with pytest.raises(CheckpointError, match=rf"holds {name}, which no run wrote; move it away"):
        train(config, quiet=True)


def test_overwrite_removes_all_that_the_run_wrote(run: Path) -> None:
    assert json.loads((run / "classes.json").read_text()) == [f"person{person}" for person in range(4)]
    (run / ".log.jsonl.x.part").write_bytes(b"x")
    remove_run(run)
    assert [path.name for path in run.iterdir()] == [".lock"]


def test_overwrite_that_is_killed_can_be_done_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every moment the folder is known as a run's, and no manifest names a file that is gone."""
    unlink = Path.unlink

    def checked(path: Path, missing_ok: bool = False) -> None:
        assert (run / "config.yaml").exists()
        if (run / "manifest.json").exists():
            assert all((run / name).exists() for name in json.loads((run / "manifest.json").read_text())["sha256"])
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", checked)
    remove_run(run)
    assert not (run / "config.yaml").exists()


@pytest.mark.parametrize("kind", ["model", "blocks", "state"])
def test_a_damaged_newest_checkpoint_costs_only_its_own_steps(
    run: Path, whole: Path, people: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run / f"{kind}-0004.params"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert train(tiny_config(tmp_path, people, *PLAIN), resume=True) == 0
    said = capsys.readouterr().err
    assert f"warning: {file}: changed since it was written (sha256 differs)" in said
    assert "going on from step 2 instead" in said
    for name in ("model-0004.params", "blocks-0004.params", "state-0004.params", "model-symbol.json"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()
    assert json.loads((run / "manifest.json").read_text()) == json.loads((whole / "manifest.json").read_text())
    assert resolve(str(run)).step == resolve(str(whole)).step
