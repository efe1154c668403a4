"""UDA's demonstration: its data in their order, then the training; and what local_train.sh trains on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairface.programs.uda import configured

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    "train/uda.py", "data_process/prepare_orl.py", "data_process/add_masks.py", "data_process/img2tfrecord.py",
    "data_process/convert_new_index.py", "data_process/mask_bin.py",
)  # fmt: skip
# A program that tells its arguments; the one that draws masks copies the folder.
TELLER = """
import shutil, sys
from pathlib import Path
print(Path(sys.argv[0]).name, *sys.argv[1:], file=sys.stderr)
if "add_masks" in sys.argv[0]:
    shutil.copytree(sys.argv[1], sys.argv[3])
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts and configurations, with stand-ins for the programs; the folder has a space in its name."""
    place = tmp_path / "a clone"
    for name in PROGRAMS:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(TELLER)
    for name in ("local_train.sh", "scripts/uda_demo.sh", "train/configs/uda.yaml", "train/configs/uda_orl.yaml"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    (place / "scripts" / "environment.sh").write_text(f"#!/bin/sh\necho '{sys.executable}'\n")
    (place / "scripts" / "environment.sh").chmod(0o755)
    for person in range(1, 27):
        (place / "datasets" / "orl" / "aligned" / f"s{person}").mkdir(parents=True)
        (place / "datasets" / "orl" / "aligned" / f"s{person}" / "1.png").touch()
    return place


def told(clone: Path, *words: str) -> list[str]:
    command = [str(clone / words[0]), *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=dict(os.environ), check=True)
    return done.stderr.splitlines()


def test_the_embedded_data_in_their_order(clone: Path) -> None:
    lines = told(clone, "scripts/uda_demo.sh", "steps=3")
    programs = [line.split()[0] for line in lines]
    packed = ["img2tfrecord.py", "convert_new_index.py"]
    assert programs == ["prepare_orl.py", "add_masks.py", *packed, "mask_bin.py", "uda.py"]
    assert lines[-1] == "uda.py train/configs/uda_orl.yaml --overwrite steps=3"
    made = clone / "all_data" / "uda"
    labels = dict(line.split() for line in (made / "labels.txt").read_text().splitlines())
    assert len(labels) == 52
    assert labels["all_data/uda/normal/s7/1.png"] == "7"
    assert labels["all_data/uda/masked/s7/1.png"] == "0"
    assert (made / "images.txt").read_text().split() == list(labels)
    seen, unseen = (line.split("--styles ")[1].split()[0].split(",") for line in lines if "--styles" in line)
    assert not set(seen) & set(unseen)


def test_the_configuration_names_what_the_script_makes(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(clone, "scripts/uda_demo.sh")
    (clone / "all_data" / "uda" / "index" / "orl+mask.index").touch()
    monkeypatch.chdir(clone)
    config = configured("train/configs/uda_orl.yaml", [])
    assert config.backbone.name == "split_ir_tiny"
    assert config.test.sets == ("datasets/orl/test", "all_data/uda/test_masked.bin")
    assert config.sources[0].data.in_memory
    assert config.sources[0].data.root == "all_data/uda/tfrecords"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "uda.py train/configs/uda_orl.yaml --overwrite"),
        (("DATA_ROOT=/data", "--resume"), "uda.py {}/train/configs/uda.yaml DATA_ROOT=/data --resume"),
        (("mine.yaml", "LR=0.1"), "uda.py mine.yaml LR=0.1"),
        (("--help",), "uda.py --help"),
    ],
)
def test_what_local_train_trains_on(clone: Path, words: tuple[str, ...], expected: str) -> None:
    assert told(clone, "local_train.sh", *words)[-1] == expected.format(clone)


def test_an_edited_configuration_is_trained(clone: Path) -> None:
    config = clone / "train" / "configs" / "uda.yaml"
    config.write_text(config.read_text().replace('DATA_ROOT: ""', "DATA_ROOT: /data/tfrecords"))
    assert told(clone, "local_train.sh") == [f"uda.py {config}"]
