"""What a resumed run refuses, and what it only says."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

PLAIN = ("steps=2", "verify.every=1")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return make_people(tmp_path / "people")


@pytest.fixture
def run(tmp_path: Path, people: Path) -> Path:
    assert train(tiny_config(tmp_path, people, *PLAIN), quiet=True) == 0
    return tmp_path / "models" / "tiny"


def resume(tmp_path: Path, people: Path, *overrides: str) -> None:
    assert train(tiny_config(tmp_path, people, *PLAIN, *overrides), resume=True) == 0


def test_other_images_under_the_same_labels(tmp_path: Path, people: Path, run: Path) -> None:
    for file in people.rglob("*.png"):
        cv2.imwrite(str(file), np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(CheckpointError, match=r"models/tiny: the training data changed .*\(images differ\)"):
        resume(tmp_path, people)


def test_one_repaired_record_of_many(
    tmp_path: Path, people: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(people / "person1" / "3.png"), np.zeros((32, 32, 3), np.uint8))
    resume(tmp_path, people)
    assert "note: 1 of 24 sampled images is not what it was" in capsys.readouterr().err


def test_refused_data_change_nothing_in_the_folder(tmp_path: Path, people: Path, run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    others = tmp_path / "others"
    shutil.copytree(people, others)
    (others / "person0").rename(others / "person9")
    shutil.rmtree(others / "person1")
    with pytest.raises(CheckpointError, match="labels or attributes differ"):
        resume(tmp_path, others)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize("override", ["verify.monitor=eer", "verify.protected=sex"])
def test_another_meaning_of_best(tmp_path: Path, people: Path, run: Path, override: str) -> None:
    name, value = override.split("=")
    assert f"{name.split('.')[1]}: {value}" not in (run / "config.yaml").read_text()
    with pytest.raises(CheckpointError, match=rf"{name} was .* and is now .*{value}"):
        resume(tmp_path, people, override)


def test_other_devices_and_threads_are_said(
    tmp_path: Path, people: Path, run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.environ["OMP_NUM_THREADS"]
    assert json.loads((run / "manifest.json").read_text())["threads"] == before
    resume(tmp_path, people)
    assert "not bit-identical" not in capsys.readouterr().err
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    resume(tmp_path, people, "devices=cpu0,cpu1")
    said = capsys.readouterr().err
    assert f"note: OMP_NUM_THREADS was {before} and is now 7: the run goes on, but its end is not bit-identical" in said
    assert "note: the devices was ['cpu(0)'] and is now ['cpu(0)', 'cpu(1)']: the run goes on" in said
